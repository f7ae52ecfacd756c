"""Who may do what with Mira's objects: a table of requests and what the API server must answer. Data only.

A row is a sentence, who does it, the request, a fragment of the refusal (none: it is taken) and what was there before;
language.py has the words and says who the people are.
"""

from tests.policies.name_cases import FILLED, WRITTEN
from tests.policies.operator_only_cases import OPERATOR_ONLY
from tests.policies.promotion_cases import APPROVING, ASKING
from tests.policies.run_cases import TRAINING_RUNS
from tests.policies.stage_cases import STAGES

__all__ = ["CASES", "FILLED", "WRITTEN"]

CASES = (*ASKING, *APPROVING, *OPERATOR_ONLY, *TRAINING_RUNS, *STAGES)
"""What holds whether the API server fills in names or not; FILLED and WRITTEN hold only if it does, and if not."""
