"""What is wrong with orders for transformations, trainings of the user's own and own ingests, and with their code."""

from tests.training.bad_trainings import DIRECTED, DROP, GIVEN_TO_TRAIN, OWN, TRAININGS, custom, said

LATER = "this version of Mira cannot do that yet"


def transform(estimator, **spec):
    given = {"task": "Transform", "data": {"target": None, "drop": DROP}, "parameters": {}}
    return given | ({"estimator": f"{OWN}:{estimator}"} if estimator else {}) | spec


def ingest(hook, data=None, **spec):
    return {"hooks": {"ingest": f"{OWN}:{hook}"}, "data": {"drop": DROP[:-1]} | (data or {})} | spec


ORDERS = [
    (
        "a transformation without an estimator",
        transform(None),
        "OrderInvalid",
        "start",
        "spec.estimator: is required for task Transform, which has no default one; write module:attr",
    ),
    (
        "a transformation without its output",
        transform("components", artifacts=["Skops"]),
        "OrderInvalid",
        "start",
        "spec.artifacts: must contain Directory for task Transform, which is the output as data",
    ),
    (
        "a transformation as ONNX",
        transform("components", artifacts=["Directory", "ONNX"]),
        "NotSupported",
        "start",
        f"artifacts: ONNX is not among Directory, Skops, Joblib, the forms for task Transform; {LATER}",
    ),
    (
        "slices of a transformation",
        transform("components", evaluation={"slices": ["plan"]}),
        "OrderInvalid",
        "start",
        "spec.evaluation.slices: is not allowed for task Transform, which predicts nothing; remove it",
    ),
    (
        "a metric that transformations do not have",
        transform("components", evaluation={"metrics": ["rmse"]}),
        "NotSupported",
        "start",
        (
            "evaluation.metrics: rmse is not known for task Transform; allowed: variance_kept, null_share, "
            "constant_columns, rows, and what hooks.metrics returns"
        ),
    ),
    (
        "a training hook for another task",
        {"hooks": {"train": f"{OWN}:train"}},
        "OrderInvalid",
        "start",
        "spec.hooks.train: is not allowed for task Classification; use estimator, or set task: Custom",
    ),
    (
        "an own training without a hook",
        {"task": "Custom", "artifacts": ["Directory"], "estimator": f"{OWN}:components"},
        "NotSupported",
        "start",
        f"hooks.train: is required for task Custom; write module:attr of the function that trains; {LATER}",
    ),
    (
        "an own training beside an estimator",
        custom("train", estimator=f"{OWN}:components"),
        "OrderInvalid",
        "start",
        "spec.estimator: is not used with hooks.train; remove one of them",
    ),
    (
        "an own training that does not say what it writes",
        custom("train", artifacts=()) | {"artifacts": None},
        "OrderInvalid",
        "start",
        "spec.artifacts: is required for task Custom; list what the code writes, of Skops, ONNX, Joblib and Directory",
    ),
    (
        "slices without a target",
        custom("train_alone", data={"target": None}, evaluation={"slices": ["plan"]}),
        "OrderInvalid",
        "start",
        "spec.evaluation.slices: needs data.target; name the column, or remove slices",
    ),
    (
        "a pinned object beside an own ingest",
        ingest("query", data={"training": {"uri": "s3://data/rows.csv", "versionId": "v"}}),
        "OrderInvalid",
        "start",
        "spec.data.training: versionId and format are not allowed with hooks.ingest, which reads the data itself",
    ),
    (
        "a holdout for an ingest that does not look at the uri",
        ingest("query_without_uri", data={"holdout": {"uri": "s3://data/holdout.csv"}}),
        "CodeInvalid",
        "start",
        (
            f"{said('hooks.ingest', 'query_without_uri')} does not take uri, by which it would tell data.holdout from "
            "data.training; take it, or remove data.holdout"
        ),
    ),
    (
        "a training hook that is not there",
        custom("trian"),
        "CodeNotFound",
        "start",
        None,
    ),
    (
        "a training hook that wants what nobody gives",
        custom("train_positional"),
        "InvalidParameters",
        "start",
        (
            "parameters.train_df: Field required; parameters.test_df: Field required (declared by "
            f"{OWN}:train_positional; Mira gives it {GIVEN_TO_TRAIN}, by these names)"
        ),
    ),
    (
        "a parameter named as what a training hook is given",
        custom("train_alone", parameters={"folder": "here"}),
        "InvalidParameters",
        "start",
        f"parameters.folder: is unknown to {OWN}:train_alone; allowed: none",
    ),
    (
        "a parameter that neither ingest nor training takes",
        custom("train", parameters={"tabel": "x", "rounds": 0})
        | {"hooks": {"train": f"{OWN}:train", "ingest": f"{OWN}:query"}},
        "InvalidParameters",
        "start",
        (
            "parameters.rounds: 0 is not allowed: Input should be greater than or equal to 1 (declared by "
            f"{OWN}:train; Mira gives it {GIVEN_TO_TRAIN}, by these names); parameters.tabel: is unknown to {OWN}:train "
            f"and {OWN}:query; allowed: rounds, table"
        ),
    ),
]

INGESTS = [
    (
        "an ingest that raises",
        ingest("query_fails"),
        "CodeFailed",
        "ingest",
        f"hooks.ingest {OWN}:query_fails raises ConnectionError: no route to the warehouse (own_tasks.py:275)",
    ),
    (
        "an ingest that returns something else",
        ingest("query_list"),
        "CodeInvalid",
        "ingest",
        f"{said('hooks.ingest', 'query_list')} returns a list; it must return a pandas DataFrame",
    ),
    (
        "an ingest that finds nothing",
        ingest("query_nothing"),
        "CodeInvalid",
        "ingest",
        f"{said('hooks.ingest', 'query_nothing')} returns a table of 0 rows and 1 columns; it must have some of both",
    ),
    (
        "an ingest that names two columns alike",
        ingest("query_twice"),
        "CodeInvalid",
        "ingest",
        f"{said('hooks.ingest', 'query_twice')} returns more than one column named age; rename them",
    ),
    ("an ingest of values of many types", ingest("query_mixed"), "CodeInvalid", "ingest", None),
]

TRANSFORMS = [
    (
        "a transformation that cannot transform",
        transform("only_fit"),
        "CodeInvalid",
        "train",
        (
            f"{said('estimator', 'only_fit')} gives a LogisticRegression without transform; return an object with "
            "transform(inputs)"
        ),
    ),
    (
        "a transformation that raises",
        transform("raising"),
        "CodeFailed",
        "train",
        f"transforming with {OWN}:raising raises KeyError: 'agee' (own_tasks.py:108)",
    ),
    (
        "a transformation into no table",
        transform("no_table"),
        "CodeInvalid",
        "train",
        (
            f"{said('estimator', 'no_table')} transforms the rows into a dict; return a pandas DataFrame or an array of "
            "rows x columns"
        ),
    ),
    (
        "a transformation into three dimensions",
        transform("three_dimensions"),
        "CodeInvalid",
        "train",
        (
            f"{said('estimator', 'three_dimensions')} transforms the rows into an array of 3 dimensions; return a pandas "
            "DataFrame or an array of rows x columns"
        ),
    ),
    (
        "a transformation that loses rows",
        transform("fewer_rows"),
        "CodeInvalid",
        "train",
        f"{said('estimator', 'fewer_rows')} makes 425 rows of 467; return one row for each, in their order",
    ),
    (
        "a transformation into a column of nothing",
        transform("all_missing"),
        "CodeInvalid",
        "train",
        f"{said('estimator', 'all_missing')} gives columns without any value in the rows for training: embedding",
    ),
    (
        "a transformation into infinity",
        transform("infinite"),
        "CodeInvalid",
        "train",
        f"{said('estimator', 'infinite')} gives infinite values in the rows for training: age",
    ),
    (
        "a transformation into lists",
        transform("lists"),
        "CodeInvalid",
        "train",
        (
            f"{said('estimator', 'lists')} gives columns that hold neither numbers nor text: embedding; give a column per "
            "number"
        ),
    ),
    (
        "a transformation into no column",
        transform("no_columns"),
        "CodeInvalid",
        "train",
        f"{said('estimator', 'no_columns')} gives 0 columns; it must give 1 to 10000",
    ),
    (
        "a transformation that takes an identifier's name",
        transform("an_identifier"),
        "CodeInvalid",
        "train",
        (
            f"{said('estimator', 'an_identifier')} gives columns whose names are taken, by each other or by data.drop: "
            "customer"
        ),
    ),
    (
        "a transformation that differs by side",
        transform("by_side"),
        "CodeInvalid",
        "train",
        f"{said('estimator', 'by_side')} gives other columns for evaluation than for training: of_133, of_467",
    ),
    (
        "a transformation that must be skops and cannot",
        transform("Unwritable", artifacts=["Directory", "Skops"]),
        "CodeInvalid",
        "publish",
        f"artifacts: Unwritable cannot be written as Skops: module '{OWN}' has no attribute '<lambda>'; list other artifacts",
    ),
    (
        "a metric of a transformation without a direction",
        transform("components", hooks={"metrics": f"{OWN}:undirected_metrics"}),
        "CodeInvalid",
        "evaluate",
        f"{said('hooks.metrics', 'undirected_metrics')} gives spread without a direction; it must be {DIRECTED}",
    ),
    (
        "a metric that nobody measured",
        transform("Embedding", evaluation={"metrics": ["variance_kept"]}),
        "DataInvalid",
        "evaluate",
        ("evaluation.metrics: variance_kept was not measured (measured: null_share, constant_columns, rows)"),
    ),
]

TASKS = ORDERS + INGESTS + TRANSFORMS + TRAININGS
