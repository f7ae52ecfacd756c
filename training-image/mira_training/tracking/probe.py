"""Whether the tracking server answers, asked early and aside, so that a dead one delays nothing."""

import threading
import urllib.request
from http import HTTPStatus

TIMEOUT = 2.0
SILENT = f"no answer within {TIMEOUT:.0f} s"


class Probe:
    """A question put to the server at once, in a thread; the answer is waited for when it is needed."""

    def __init__(self, url: str, authorization: str | None = None) -> None:
        self.url = url
        self._authorization = authorization
        self._problem = SILENT
        self._thread = threading.Thread(target=self._ask, name="tracking-probe", daemon=True)
        self._thread.start()

    def problem(self) -> str:
        """Why the server cannot be used; empty if it answers. Waits at most 2 s, also for a name nobody resolves."""
        self._thread.join(TIMEOUT)
        return self._problem

    def _ask(self) -> None:
        headers = {"Authorization": self._authorization} if self._authorization else {}
        try:
            # The URL is the deployment's own configuration; nobody else can set it.
            request = urllib.request.Request(f"{self.url.rstrip('/')}/health", headers=headers)  # noqa: S310
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                self._problem = "" if answer.status == HTTPStatus.OK else f"answers {answer.status}"
        except TimeoutError:
            self._problem = SILENT  # or whoever waits in `problem` has gone with the same words
        except (OSError, ValueError) as error:
            self._problem = str(error)
