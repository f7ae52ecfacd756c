"""The server's Prometheus metrics; `docs/reference/serving.md` is generated from this list."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


@dataclass
class Metrics:
    """Every metric, in a registry of its own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        of = self.registry
        self.requests = Counter(
            "mira_serving_requests", "Requests for predictions, by HTTP code.", ["code"], registry=of
        )
        self.seconds = Histogram("mira_serving_request_seconds", "How long a prediction's request took.", registry=of)
        self.rows = Counter("mira_serving_rows", "Rows that were predicted.", registry=of)
        self.version = Gauge(
            "mira_serving_version", "1 for the version that is served.", ["version", "digest"], registry=of
        )
        self.swaps = Counter("mira_serving_swaps", "How often another version was taken over.", registry=of)
        self.failures = Counter(
            "mira_serving_refresh_failures",
            "Looks at the registry that failed: what is served stays.",
            ["reason"],
            registry=of,
        )
        self.up_to_date = Gauge(
            "mira_serving_up_to_date", "1 if the last look showed that what is served is what should be.", registry=of
        )
