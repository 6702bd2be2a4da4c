"""The embedded model's process: serves one .gguf on loopback until its parent is gone. Imports nothing of EvoKD."""

import argparse
import json
import os
import signal
import sys
import threading
import time


def watch(parent: int) -> None:
    """End this process at once when the parent is: its pipe is closed, or another process has adopted us."""

    def read() -> None:
        while sys.stdin.buffer.read1(1):  # type: ignore[union-attr]
            pass
        os._exit(0)

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    for task in (read, look):
        threading.Thread(target=task, daemon=True).start()


def main() -> None:
    """Load the model, print one JSON line with the address, and wait."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which lets its step end before we go
    watch(options.parent)
    answer = os.fdopen(os.dup(1), "w")  # the runtime writes its log where it likes; the one line must stay alone
    os.dup2(2, 1)
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.model_alias = {options.name}
    params.port = 0  # the system picks a free one
    params.n_parallel = options.slots
    params.n_ctx = options.slots * options.context  # the total over all slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.use_jinja = True
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.offline = True
    params.cache_ram_mib = 0  # the cache across slots grew to 4 GB; the one within a slot stays
    params.verbosity = 1
    server = xllamacpp.Server(params)
    answer.write(json.dumps({"url": server.listening_address + "/v1"}) + "\n")
    answer.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
