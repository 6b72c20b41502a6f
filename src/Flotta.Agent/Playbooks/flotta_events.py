"""Tells flotta-agent what becomes of each task: one line of JSON on standard output, nothing else."""
import json

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
    name: flotta_events
    type: stdout
    short_description: one line of JSON for each task
    description: For flotta-agent.
"""

LONGEST = 400


def cut(text):
    text = " ".join(str(text).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "\u2026"


def why(result):
    if "censored" in result:
        return result["censored"]
    for item in result.get("results") or []:
        if isinstance(item, dict) and (item.get("failed") or item.get("unreachable")):
            return why(item)
    parts = [result.get("msg"), result.get("stderr") or result.get("module_stderr")]
    return ": ".join(cut(part) for part in parts if part)


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "flotta_events"

    def tell(self, **event):
        print(json.dumps(event, separators=(",", ":")), flush=True)

    def task(self, result, outcome, message=None):
        self.tell(task=cut(result._task.get_name()), outcome=outcome, message=cut(message) if message else None)

    def v2_runner_on_ok(self, result, **kwargs):
        self.task(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False, **kwargs):
        self.task(result, "ignored" if ignore_errors else "failed", why(result._result))

    def v2_runner_on_unreachable(self, result, **kwargs):
        self.task(result, "unreachable", why(result._result))

    def v2_runner_on_skipped(self, result, **kwargs):
        self.task(result, "skipped")

    def v2_playbook_on_no_hosts_matched(self):
        self.tell(none=True)

    def v2_playbook_on_stats(self, stats):
        total = {}
        for host in stats.processed:
            for name, count in stats.summarize(host).items():
                total[name] = total.get(name, 0) + count
        self.tell(stats=total)
