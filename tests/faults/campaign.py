"""One plan from beginning to end, and many of them side by side on one cluster."""

import itertools
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from difflib import unified_diff
from typing import Any
from urllib.parse import urlsplit

import yaml

from dev.controlplane.users import write_kubeconfig
from dev.local import OPERATOR_ACCOUNT, SYSTEM_NAMESPACE
from dev.s3.roles import Role
from dev.waiting import wait_until
from tests.faults.calls import Identity, Name, Naming
from tests.faults.faults import Aim, Plan
from tests.faults.ground import Ground
from tests.faults.journey import Journey
from tests.faults.keeping import KeptOperator
from tests.faults.proxy import Forward, Proxy, Request, Response, Server

# Half a minute is promised; what takes longer is to be seen in the table, not to end a plan too early.
WITHIN = 60.0
EVERY = 0.25
QUIET = 1.0
NUMBERS = itertools.count(1)
CLUSTER_WIDE = ("trainingruns", "modelpromotions", "modelstages", "jobs")


@dataclass(frozen=True)
class Run:
    """What came of one journey."""

    plan: Plan | None
    end: dict[str, Any]
    made: Counter[Identity]
    calls: tuple[Name, ...]
    asked_of_s3: tuple[Request, ...]
    hit: bool
    problem: str
    seconds: float
    recovered: float | None
    starts: tuple[float, ...]
    log: str

    def difference(self, reference: "Run") -> str:
        """Empty if it ended as the reference did, else what is other."""
        told = "\n".join(unified_diff(reference.told(), self.told(), "undisturbed", "disturbed", lineterm="", n=2))
        return "\n".join(filter(None, (self.problem, told)))

    def told(self) -> list[str]:
        """The end and everything that was made, a line for each thing."""
        made = [f"{times} x {identity}" for identity, times in sorted(self.made.items())]
        return json.dumps(self.end, indent=1, sort_keys=True).splitlines() + made


@dataclass
class Disturbed:
    """One journey under way, its operator and what stands between it and its servers.

    Its end is awaited to be that of the reference; without one this is a reference itself.
    """

    ground: Ground
    plan: Plan | None
    reference: Run | None
    made: Counter[Identity] = field(default_factory=Counter)
    calls: list[Name] = field(default_factory=list)
    asked_of_s3: list[Request] = field(default_factory=list)
    last_call: float = field(default_factory=time.monotonic)
    recovered: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.name = f"plan-{next(NUMBERS)}"
        self.local = self.ground.local
        self.journey = Journey(self.ground, self.name)
        self.naming = Naming(self.name, self.journey.root)
        self.settings: dict[str, str] = {}
        self.operator = KeptOperator(lambda: self.local.launch_operator(self.name, **self.settings))
        self.aim = Aim(self.plan, self.operator.kill)

    def run(self) -> Run:
        """The journey's end, or the problem that kept it from one."""
        began = time.monotonic()
        self.journey.prepare()
        problem = ""
        with ExitStack() as stack:
            kubernetes = stack.enter_context(Proxy(self._apiserver(), self._kubernetes, rewritten=self._narrowed))
            s3 = stack.enter_context(Proxy(self._s3_server(), self._s3))
            self.settings.update(self._through(kubernetes, s3))
            stack.callback(self.aim.given_up.set)
            stack.enter_context(self.operator)
            try:
                self._go()
            except (TimeoutError, AssertionError, OSError) as error:
                problem = f"{type(error).__name__}: {error}"
            end = self.journey.end()
            problem = "\n".join(filter(None, (problem, *kubernetes.troubles, *s3.troubles, *self._ended_by_itself())))
        return Run(
            plan=self.plan,
            end=end,
            made=self.made,
            calls=tuple(self.calls),
            asked_of_s3=tuple(self.asked_of_s3),
            hit=self.aim.hit_at is not None,
            problem=problem,
            seconds=time.monotonic() - began,
            recovered=self.recovered,
            starts=tuple(self.operator.starts),
            log=(self.local.folder / f"{self.name}.log").read_text(),
        )

    def _go(self) -> None:
        self._reach(self.operator.is_ready, "the operator to be ready")
        for step in self.journey.steps():
            step.act()
            self._reach(step.holds, step.sign)
        self._reach(self._is_at_its_end, "everything to be as undisturbed")
        self._rest()
        if self.recovered is None and self.aim.hit_at is not None:
            # It was hit after everything had been reached.
            self._reach(self._is_at_its_end, "everything to be as undisturbed, still")
            self._rest()

    def _reach(self, holds: Callable[[], bool], what: str) -> None:
        """Waits for what should come next; if the fault is over by now, that is what it took to mend."""
        wait_until(holds, timeout=WITHIN, every=EVERY, what=what)
        if self.recovered is None and self.aim.over_at is not None:
            self.recovered = time.monotonic() - self.aim.over_at

    def _is_at_its_end(self) -> bool:
        end = self.journey.end()
        return end["stage"].get("pendingPromotions") == [] if self.reference is None else end == self.reference.end

    def _rest(self) -> None:
        """Waits until the fault is over, its operator is there again, and nothing is asked any more."""
        if self.aim.hit_at is not None:
            self.aim.ended.wait(15)
        wait_until(self.operator.is_ready, timeout=WITHIN, what="the operator to be ready again")
        wait_until(lambda: time.monotonic() - self.last_call > QUIET, timeout=WITHIN, what="the operator to rest")

    def _ended_by_itself(self) -> Iterator[str]:
        for code in self.operator.ends:
            yield f"the operator ended by itself with {code}"

    def _kubernetes(self, request: Request, forward: Forward) -> Response | None:
        return self._call(self.naming.kubernetes(request), forward)

    def _s3(self, request: Request, forward: Forward) -> Response | None:
        self.asked_of_s3.append(replace(request, body=b""))
        return self._call(self.naming.s3(request), forward)

    def _call(self, name: Name, forward: Forward) -> Response | None:
        if name.identity.is_of_a_clock:
            return forward()
        self.last_call = time.monotonic()

        def counted() -> Response:
            answer = forward()
            if name.identity.writes and answer.status < 300:
                with self._lock:
                    self.made[name.identity] += 1
            return answer

        with self._lock:
            self.calls.append(name)
        return self.aim.at(name, counted)

    def _narrowed(self, target: str) -> str:
        """What asks for every namespace asks for this one only: plans side by side do not see each other."""
        path, mark, query = target.partition("?")
        group, _, plural = path.rpartition("/")
        if plural in CLUSTER_WIDE and "/namespaces/" not in path:
            path = f"{group}/namespaces/{self.name}/{plural}"
        return path + mark + query

    def _apiserver(self) -> Server:
        plane = self.local.control_plane
        where = urlsplit(plane.server)
        return Server(str(where.hostname), int(where.port or 443), ssl.create_default_context(cafile=plane.ca_file))

    def _s3_server(self) -> Server:
        where = urlsplit(self.local.s3.endpoint)
        return Server(str(where.hostname), int(where.port or 80))

    def _through(self, kubernetes: Proxy, s3: Proxy) -> dict[str, str]:
        """The settings with which the operator asks the proxies and nobody else."""
        plane = self.local.control_plane
        own = yaml.safe_load(plane.service_account_kubeconfig(SYSTEM_NAMESPACE, OPERATOR_ACCOUNT).read_text())
        kubeconfig = write_kubeconfig(
            self.local.folder / "kubeconfigs" / self.name,
            server=kubernetes.url,
            authority=plane.ca_file,
            user="operator",
            token=own["users"][0]["user"]["token"],
        )
        return {
            **self.local.s3.credentials(Role.ADMIN),
            "AWS_ENDPOINT_URL_S3": s3.url,
            "MIRA_REGISTRY": self.journey.registry,
            # Operators of plans side by side all lead: each has a Lease of its own.
            "MIRA_NAMESPACE": self.name,
            "MIRA_KUBECONFIG": str(kubeconfig),
        }


def run_all(ground: Ground, plans: Sequence[Plan | None], reference: Run | None, *, side_by_side: int) -> Iterator[Run]:
    """What came of each plan, as soon as it is known."""

    def run(plan: Plan | None) -> Run:
        return Disturbed(ground, plan, reference).run()

    pool = ThreadPoolExecutor(side_by_side)
    try:
        for future in as_completed([pool.submit(run, plan) for plan in plans]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def undisturbed(ground: Ground, *, times: int = 3) -> tuple[Run, list[Name]]:
    """An undisturbed run, and the calls that every one of several such runs has made. Raises if they do not agree."""
    runs = list(run_all(ground, [None] * times, None, side_by_side=times))
    first = runs[0]
    for run in runs:
        assert not run.difference(first), f"undisturbed runs differ:\n{run.difference(first)}\n{run.log[-3000:]}"
    return first, sorted(set.intersection(*(set(run.calls) for run in runs)))
