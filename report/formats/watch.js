"use strict";
(() => {
  const found = (name) => document.getElementById(name);
  const [bar, now, more, share, stop, again] = ["", "now", "more", "share", "stop", "again"].map((name) => (name ? found(name) : document.querySelector("aside")));
  const news = new EventSource("/events");
  let cycles = null, asked = false;

  const say = (text) => { if (now.textContent !== text) now.textContent = text; };
  news.onmessage = (message) => {
    const said = JSON.parse(message.data);
    say(asked && said.at_work ? `${said.now} The run ends when this step has ended.` : said.now);
    more.textContent = [said.left, said.cost].filter(Boolean).join(" So far: ");
    share.hidden = said.share === null || said.share === undefined;
    if (!share.hidden) share.value = said.share;
    stop.disabled = asked || !said.at_work;
    if (cycles !== null && said.cycles >= 0 && said.cycles !== cycles) {
      // Whoever reads is not torn away: the page is loaded anew only where nobody has gone down or chosen anything.
      if (scrollY < 50 && document.activeElement === document.body) location.reload();
      again.hidden = false;
    }
    if (said.cycles >= 0 && cycles === null) cycles = said.cycles;
  };
  news.onerror = () => {
    say("The server does not answer: `evokd watch` was stopped. What is below is the last that was seen.");
    stop.disabled = true;
  };
  again.addEventListener("click", () => location.reload());
  stop.addEventListener("click", async () => {
    const answer = await fetch("/stop", { method: "POST", headers: { "X-Token": bar.dataset.token } });
    asked = answer.ok;
    stop.disabled = asked;
    say(await answer.text());
  });
})();
