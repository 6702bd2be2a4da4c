"""The commands, a function each. Nothing heavy is imported until one runs, so that `--help` answers at once."""
