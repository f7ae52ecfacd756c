"""How a training is shown in Prefect, and why Prefect can neither fail nor delay it."""
