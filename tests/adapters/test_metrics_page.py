"""The page of the operator's metrics is written from the attributes of `Metrics`; what Prometheus sees is the truth."""

from dev.reference import metrics_page
from mira.adapters.metrics import Metrics


def test_every_metric_that_is_served_stands_on_the_page() -> None:
    served = {family.name for family in Metrics().registry.collect()}
    page = metrics_page()
    assert served
    assert not [name for name in served if f"| `{name}" not in page]
