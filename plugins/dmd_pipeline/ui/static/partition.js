// "Check again": asks Airflow's own API for a run, so that Airflow decides who may and notes who did; then waits for it.
(() => {
  "use strict";
  const button = document.querySelector("[data-check-again]");
  if (!button) return;
  const told = document.querySelector("[data-check-status]");
  const runLink = document.querySelector("[data-check-run]");
  const { airflow, dag, table, day } = button.dataset;
  const runs = `${airflow}/api/v2/dags/${dag}/dagRuns`;
  const refusals = {
    401: "Your session has ended. Reload the page to sign in, then try again.",
    403: `You may not start a check: that needs the permission to trigger the DAG ${dag}.`,
    404: `Airflow does not know the DAG ${dag}. Its file may not be read yet, or not be deployed here.`,
    409: "Airflow has just started another run. Try again.",
  };
  const say = (text, kind) => {
    told.textContent = text;
    told.className = kind;
  };
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  async function refusal(answer) {
    if (refusals[answer.status]) return refusals[answer.status];
    const reason = await answer.json().then((body) => body.detail, () => null);
    return `Airflow refused (${answer.status}): ${typeof reason === "string" ? reason : answer.statusText}`;
  }

  async function isPaused() {
    const answer = await fetch(`${airflow}/api/v2/dags/${dag}`);
    return answer.ok && (await answer.json()).is_paused;
  }

  async function follow(runId) {
    const page = `${airflow}/dags/${dag}/runs/${encodeURIComponent(runId)}`;
    runLink.href = page;
    runLink.hidden = false;
    if (await isPaused()) {
      return say(`The run waits: the DAG ${dag} is paused. It starts when somebody unpauses it.`, "notice");
    }
    for (;;) {
      const answer = await fetch(`${runs}/${encodeURIComponent(runId)}`);
      if (!answer.ok) return say(await refusal(answer), "notice bad");
      const { state } = await answer.json();
      if (state === "success") {
        say("Checked. Loading the new verdict …", "notice");
        return location.reload();
      }
      if (state === "failed") {
        // A partition that fails its checks fails the run too: there may well be a new verdict.
        return say("The run has ended as failed. Reload the page for the verdict, or open the run.", "notice bad");
      }
      say(state === "running" ? "Checking …" : "Waiting for its turn …", "notice");
      await pause(2000);
    }
  }

  button.addEventListener("click", async () => {
    button.disabled = true;
    say("Asking Airflow …", "notice");
    try {
      const answer = await fetch(runs, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
          logical_date: null,
          conf: { tables: [table], from_date: day, to_date: day, force: true },
        }),
      });
      if (answer.ok) await follow((await answer.json()).dag_run_id);
      else say(await refusal(answer), "notice bad");
    } catch {
      say("Airflow does not answer. Try again in a moment.", "notice bad");
    } finally {
      button.disabled = false;
    }
  });
})();
