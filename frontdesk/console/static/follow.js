// Asks for a part of a page again and again, as long as the page is seen. Mostly the answer is that nothing is new (304).

const LONGEST_WAIT_MS = 60000;

// `show` is given the part and says whether all of it could be shown; if not, it is asked for again as if it were new.
// `every` says how many milliseconds lie between two times, `first` how many before the first.
export const follow = ({ address, every, first, show, tellStale = () => {} }) => {
  let tag = "";
  let wait = 0;
  let timer = 0;
  let isAsking = false;

  // There is never more than one to come, and none while the page is not seen.
  const askIn = (ms) => {
    window.clearTimeout(timer);
    timer = document.hidden ? 0 : window.setTimeout(ask, ms);
  };

  const ask = async () => {
    if (isAsking) return;
    isAsking = true;
    try {
      const answer = await fetch(address, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store", redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 403 || answer.status === 404) {
        tellStale(true); // logged out, or not theirs any more: only the page itself can say so
        return;
      }
      if (answer.status === 200) tag = show(await answer.text()) ? answer.headers.get("ETag") ?? "" : "";
      else if (answer.status !== 304) throw new Error(String(answer.status));
      wait = every();
      tellStale(false);
    } catch {
      wait = Math.min((wait || every()) * 2, LONGEST_WAIT_MS);
      tellStale(true);
    } finally {
      isAsking = false;
    }
    askIn(wait);
  };

  document.addEventListener("visibilitychange", () => askIn(0));
  askIn(first);
};
