"""What is wrong with an order, its data or its code: each with its reason, its step and the sentence that is shown."""

OWN = "tests.training.own_code"
ROWS = "s3://data/rows.csv"
HAVE = "have: customer, age, spend, plan, active, since, churned, loss, band"


def column(name, **rules):
    return {"data": {"checks": {"columns": [{"name": name, **rules}]}}}


def data(**fields):
    return {"data": fields}


def split(**fields):
    return {"data": {"split": fields}}


CASES = [
    # The order
    (
        "a task of a later version",
        {"task": "Transform", "estimator": "a:b"},
        "NotSupported",
        "start",
        "task: Transform is not Classification or Regression; this version of Mira cannot do that yet",
    ),
    (
        "a search",
        {"search": {"trials": 3, "metric": "roc_auc", "space": {"max_iter": [1]}}},
        "NotSupported",
        "start",
        "search: must be absent; write the values into parameters; this version of Mira cannot do that yet",
    ),
    (
        "an expectation suite",
        data(checks={"expectations": {"configMap": "suite"}}),
        "NotSupported",
        "start",
        "data.checks.expectations: must be absent; use data.checks.columns; this version of Mira cannot do that yet",
    ),
    (
        "a drift check",
        {"drift": {"method": "Evidently"}},
        "NotSupported",
        "start",
        "drift: must be absent with Evidently; use data.checks.schemaDrift; this version of Mira cannot do that yet",
    ),
    (
        "an own ingest",
        {"hooks": {"ingest": f"{OWN}:fails"}},
        "NotSupported",
        "start",
        "hooks.ingest: must be absent; use features; this version of Mira cannot do that yet",
    ),
    (
        "a directory as artifact",
        {"artifacts": ["Directory"]},
        "NotSupported",
        "start",
        "artifacts: Directory is not among Skops, ONNX, Joblib; this version of Mira cannot do that yet",
    ),
    (
        "a field of a newer operator",
        {"colour": "blue"},
        "OrderInvalid",
        "start",
        "spec.colour: Extra inputs are not permitted; operator and image must be of the same version",
    ),
    (
        "no target",
        data(target=None),
        "OrderInvalid",
        "start",
        "spec.data.target: is required for task Classification; name the column to predict",
    ),
    (
        "inputs that nobody takes",
        data(inputs=[{"name": "plans", "uri": "s3://data/plans.csv"}]),
        "OrderInvalid",
        "start",
        "spec.data.inputs: needs features, which they are handed to; write module:attr there",
    ),
    (
        "a metric of another task",
        {"evaluation": {"metrics": ["rmse"]}},
        "NotSupported",
        "start",
        (
            "evaluation.metrics: rmse is not known for task Classification; allowed: roc_auc, average_precision, log_loss, brier, "
            "accuracy, f1, roc_auc_ovr, f1_macro, and what hooks.metrics returns"
        ),
    ),
    # Code and parameters
    (
        "a module that is not in the image",
        {"estimator": "chrun.model:build"},
        "CodeNotFound",
        "start",
        "estimator: the image has no module 'chrun.model'; build it in, or correct the name",
    ),
    (
        "an attribute that is not there",
        {"features": f"{OWN}:with_prices"},
        "CodeNotFound",
        "start",
        (
            f"features: {OWN} has no 'with_prices' (it has: with_price, without_rows, own_metrics, infinite_metrics, "
            "Price, trees, Disagrees, disagrees, Trees, no_estimator, fails, lists and 3 more)"
        ),
    ),
    (
        "a name that nobody registered",
        {"estimator": "my-trees"},
        "CodeNotFound",
        "start",
        "estimator: 'my-trees' is not registered in this image (registered: none); write module:attr",
    ),
    (
        "a module that raises on import",
        {"estimator": "tests.training.own_code_that_raises:build"},
        "CodeImportFailed",
        "start",
        "estimator: importing tests.training.own_code_that_raises raises ZeroDivisionError: division by zero",
    ),
    (
        "a constant instead of a function",
        {"estimator": f"{OWN}:NOT_CALLABLE"},
        "CodeInvalid",
        "start",
        f"estimator: {OWN}:NOT_CALLABLE is a int; it must be callable",
    ),
    (
        "a parameter that the default estimator does not know",
        {"parameters": {"max_itre": 5}},
        "InvalidParameters",
        "start",
        (
            "parameters.max_itre: is unknown to gradient_boosting; allowed: early_stopping, l2_regularization, learning_rate, "
            "max_depth, max_features, max_iter, max_leaf_nodes, min_samples_leaf"
        ),
    ),
    (
        "two parameters out of bounds",
        {"parameters": {"max_iter": 0, "learning_rate": "fast"}},
        "InvalidParameters",
        "start",
        (
            "parameters.max_iter: Input should be greater than or equal to 1; parameters.learning_rate: Input should be a valid "
            "number, unable to parse string as a number (declared by gradient_boosting)"
        ),
    ),
    (
        "a parameter out of an own model's bounds",
        {"estimator": f"{OWN}:trees", "parameters": {"depth": 40}},
        "InvalidParameters",
        "start",
        f"parameters.depth: Input should be less than or equal to 12 (declared by {OWN}:trees)",
    ),
    (
        "a parameter that scikit-learn does not know",
        {"estimator": "sklearn.dummy:DummyClassifier", "parameters": {"depth": 4}},
        "InvalidParameters",
        "start",
        "parameters.depth: is unknown to sklearn.dummy:DummyClassifier; allowed: constant, strategy",
    ),
    (
        "an estimator that raises",
        {"estimator": f"{OWN}:fails"},
        "CodeFailed",
        "train",
        f"estimator {OWN}:fails raises RuntimeError: out of luck (own_code.py:38)",
    ),
    (
        "an estimator that is none",
        {"estimator": f"{OWN}:no_estimator"},
        "CodeInvalid",
        "train",
        (
            f"estimator: {OWN}:no_estimator gives a object without fit and predict and predict_proba; return a scikit-learn "
            "estimator for Classification"
        ),
    ),
    (
        "features that return something else",
        {"features": f"{OWN}:lists"},
        "CodeInvalid",
        "validate",
        f"features: {OWN}:lists returns a dict; it must return a pandas DataFrame",
    ),
    (
        "features that misspell a column",
        {"features": f"{OWN}:misspelt"},
        "CodeFailed",
        "validate",
        f"features {OWN}:misspelt raises KeyError: 'agee' (own_code.py:50)",
    ),
    (
        "features that leave too few rows",
        {"features": f"{OWN}:without_rows"},
        "NotEnoughRows",
        "validate",
        "data: 3 rows are left for training, at least 10 are needed; bring more data or change data.split",
    ),
    (
        "a metric that is not finite",
        {"hooks": {"metrics": f"{OWN}:infinite_metrics"}},
        "CodeInvalid",
        "evaluate",
        f"hooks.metrics: {OWN}:infinite_metrics gives cost as inf; it must be a finite number",
    ),
    (
        "an estimator that ONNX says something else of",
        {"estimator": f"{OWN}:disagrees"},
        "CodeInvalid",
        "publish",
        None,
    ),
    ("an estimator that ONNX cannot say", {"estimator": f"{OWN}:unconvertible"}, "CodeInvalid", "publish", None),
    # Where the data lies
    (
        "an object that is not there",
        data(training={"uri": "s3://data/row.csv"}),
        "DataNotFound",
        "ingest",
        "data.training.uri: s3://data/row.csv does not exist; write an object's uri, or a prefix that ends in /",
    ),
    (
        "a prefix with nothing below",
        data(training={"uri": "s3://data/months/", "format": "CSV"}),
        "DataNotFound",
        "ingest",
        "data.training.uri: s3://data/months/ holds no object with data; check the prefix",
    ),
    (
        "no format for a prefix",
        data(training={"uri": "s3://data/logs/"}),
        "DataInvalid",
        "ingest",
        (
            "data.training.format: is required for s3://data/logs/a.txt, whose suffix is not .csv, .csv.gz or .parquet; "
            "set it to CSV or Parquet"
        ),
    ),
    (
        "a bucket that may not be read",
        data(training={"uri": "s3://secret/rows.csv"}),
        "DataAccessDenied",
        "ingest",
        "s3://secret/rows.csv: S3 answers 403",
    ),
    ("text that says it is Parquet", data(training={"uri": "s3://data/no.parquet"}), "DataUnreadable", "ingest", None),
    ("a compressed file that is cut", data(training={"uri": "s3://data/cut.csv.gz"}), "DataUnreadable", "ingest", None),
    (
        "an empty file",
        data(training={"uri": "s3://data/empty.csv"}),
        "DataUnreadable",
        "ingest",
        "s3://data/empty.csv: cannot be read as CSV: No columns to parse from file",
    ),
    (
        "objects of a prefix that differ",
        data(training={"uri": "s3://data/mixed/"}),
        "DataInvalid",
        "ingest",
        (
            "s3://data/mixed/2.csv: has no column age, which s3://data/mixed/1.csv has; all objects of a prefix must have the same "
            "columns"
        ),
    ),
    # The split
    (
        "a split by a column that is not there",
        split(method="Group", column="shop"),
        "ColumnsMissing",
        "ingest",
        f"data.split.column: column 'shop' is missing ({HAVE})",
    ),
    (
        "a split by a time that is none",
        split(method="Time", column="plan", evaluationFrom="2024-01-10"),
        "DataInvalid",
        "ingest",
        (
            "data.split.column: 600 of 600 values of 'plan' are no date or time; they must look like 2026-10-01 or "
            "2026-10-01T12:00:00Z"
        ),
    ),
    (
        "a time after which there is nothing",
        split(method="Time", column="since", evaluationFrom="2030-01-01"),
        "NotEnoughRows",
        "validate",
        "data: 0 rows are left for evaluation, at least 10 are needed; bring more data or change data.split",
    ),
    # What the data holds
    (
        "a target that is not there",
        data(target="churn"),
        "ColumnsMissing",
        "validate",
        f"data.target: column 'churn' is missing ({HAVE})",
    ),
    (
        "a column to drop that is not there",
        data(drop=["id"]),
        "ColumnsMissing",
        "validate",
        f"data.drop: column 'id' is missing ({HAVE})",
    ),
    (
        "a slice that is not there",
        {"evaluation": {"slices": ["country"]}},
        "ColumnsMissing",
        "validate",
        f"evaluation.slices: column 'country' is missing ({HAVE})",
    ),
    ("a target with missing values", data(target="plan"), "DataInvalid", "validate", None),
    (
        "a classification of fractions",
        data(target="loss"),
        "DataInvalid",
        "validate",
        (
            "data.target: 'loss' holds fractions; with task Classification it must hold whole numbers, text or booleans (or use "
            "task Regression)"
        ),
    ),
    (
        "a regression of text",
        {"task": "Regression"} | data(target="band"),
        "DataInvalid",
        "validate",
        "data.target: 'band' is String, must be a number for task Regression",
    ),
    ("as many classes as rows", data(target="customer"), "DataInvalid", "validate", None),
    ("a weight that is text", data(weight="band"), "DataInvalid", "validate", "data.weight: 'band' must hold numbers"),
    (
        "too few rows",
        data(checks={"minRows": 1000}),
        "NotEnoughRows",
        "validate",
        "data.training: 600 rows, at least 1000 are required",
    ),
    (
        "a column that the checks require",
        column("country"),
        "ColumnsMissing",
        "validate",
        f"data.training: column 'country' is missing ({HAVE})",
    ),
    ("a value out of bounds", column("age", type="Integer", minimum="21"), "ChecksFailed", "validate", None),
    ("a value that is not allowed", column("plan", allowed=["free", "pro"]), "ChecksFailed", "validate", None),
    (
        "a column that nobody listed",
        data(checks={"extraColumns": "Fail", "columns": [{"name": "age"}]}),
        "ChecksFailed",
        "validate",
        (
            "data.training: 8 columns are not listed in data.checks.columns: customer, spend, plan, active, since, churned, loss, "
            "band"
        ),
    ),
]
