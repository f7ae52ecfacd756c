"""The model card."""
from typing import Any
def model_card(*_: Any) -> str:
    """Placeholder."""
    return "<p>"
