"""What is wrong with an order, its code or its parameters: each with its reason, its step and the sentence shown."""

OWN = "tests.training.own_code"


def data(**fields):
    return {"data": fields}


ORDERS = [
    # The order
    (
        "a search of what predicts nothing",
        {
            "search": {"trials": 3, "metric": "rows", "space": {"a": [1]}},
            "task": "Transform",
            "estimator": "a:b",
            "data": {"target": None},
        },
        "OrderInvalid",
        "start",
        (
            "spec.search: is not allowed for task Transform, whose result Mira cannot score on rows of its choice; "
            "remove it"
        ),
    ),
    (
        "a suite in a ConfigMap where no cluster is",
        data(checks={"expectations": {"configMap": "suite"}}),
        "ExpectationsInvalid",
        "start",
        ("data.checks.expectations.configMap: there is no cluster here to read suite from; write uri, with the file"),
    ),
    (
        "a directory as artifact",
        {"artifacts": ["Directory"]},
        "NotSupported",
        "start",
        (
            "artifacts: Directory is not among Skops, ONNX, Joblib, the forms for task Classification; this version of "
            "Mira cannot do that yet"
        ),
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
        "spec.data.inputs: needs features or hooks.ingest, which they are handed to; write module:attr in one of them",
    ),
    (
        "a metric of another task",
        {"evaluation": {"metrics": ["rmse"]}},
        "NotSupported",
        "start",
        (
            "evaluation.metrics: rmse is not known for task Classification; allowed: roc_auc, average_precision, "
            "log_loss, brier, "
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
            "Price, trees, Disagrees, disagrees, Trees, no_estimator, told_to_stop, fails and 6 more)"
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
            "parameters.max_itre: is unknown to gradient_boosting; allowed: early_stopping, l2_regularization, "
            "learning_rate, "
            "max_depth, max_features, max_iter, max_leaf_nodes, min_samples_leaf"
        ),
    ),
    (
        "two parameters out of bounds",
        {"parameters": {"max_iter": 0, "learning_rate": "fast"}},
        "InvalidParameters",
        "start",
        (
            "parameters.max_iter: 0 is not allowed: Input should be greater than or equal to 1; "
            'parameters.learning_rate: "fast" is not allowed: Input should '
            "be a valid "
            "number, unable to parse string as a number (declared by gradient_boosting)"
        ),
    ),
    (
        "parameters that are unknown beside some out of bounds",
        {"parameters": {"max_iter": 0, "depth": 3, "max_itre": 5}},
        "InvalidParameters",
        "start",
        (
            "parameters.max_iter: 0 is not allowed: Input should be greater than or equal to 1 (declared by "
            "gradient_boosting); "
            "parameters.depth, parameters.max_itre: are unknown to gradient_boosting; allowed: early_stopping, "
            "l2_regularization, learning_rate, max_depth, max_features, max_iter, max_leaf_nodes, min_samples_leaf"
        ),
    ),
    (
        "parameters that neither features nor estimator take, beside wrong ones of both",
        {
            "features": f"{OWN}:with_price",
            "estimator": f"{OWN}:trees",
            "parameters": {"factor": "twice", "depth": 40, "facto": 2},
        },
        "InvalidParameters",
        "start",
        (
            f"parameters.depth: 40 is not allowed: Input should be less than or equal to 12 (declared by {OWN}:trees); "
            'parameters.factor: "twice" is not allowed: Input should be a valid integer, unable to parse string as an '
            f"integer (declared by {OWN}:with_price); parameters.facto: is unknown to {OWN}:trees and "
            f"{OWN}:with_price; allowed: depth, factor"
        ),
    ),
    (
        "a parameter out of an own model's bounds",
        {"estimator": f"{OWN}:trees", "parameters": {"depth": 40}},
        "InvalidParameters",
        "start",
        f"parameters.depth: 40 is not allowed: Input should be less than or equal to 12 (declared by {OWN}:trees)",
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
        f"estimator {OWN}:fails raises RuntimeError: out of luck (own_code.py:40)",
    ),
    (
        "an estimator that is none",
        {"estimator": f"{OWN}:no_estimator"},
        "CodeInvalid",
        "train",
        (
            f"estimator: {OWN}:no_estimator gives a object without fit and predict and predict_proba; return a "
            f"scikit-learn "
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
        "features that name two columns alike",
        {"features": f"{OWN}:doubled"},
        "CodeInvalid",
        "validate",
        f"features: {OWN}:doubled returns more than one column named age; rename them",
    ),
    (
        "features that divide by zero",
        {"features": f"{OWN}:divided_by_zero"},
        "DataInvalid",
        "validate",
        (
            "data: columns with infinite values, or values beyond 3.4e+38: share (600 of 600); leave these cells "
            "empty, "
            "e.g. in features, or list the columns in data.drop"
        ),
    ),
    (
        "features that misspell a column",
        {"features": f"{OWN}:misspelt"},
        "CodeFailed",
        "validate",
        f"features {OWN}:misspelt raises KeyError: 'agee' (own_code.py:52)",
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
    (
        "an estimator that takes no missing values",
        {"estimator": "sklearn.linear_model:LogisticRegression", "parameters": {}},
        "CodeInvalid",
        "train",
        (
            "estimator: LogisticRegression takes no missing values, and 1 column has some: spend; fill them in "
            "features, or use one that takes them, e.g. sklearn.ensemble:HistGradientBoostingClassifier"
        ),
    ),
    (
        "trees whose ONNX file would take missing values for others",
        {"estimator": "sklearn.ensemble:RandomForestClassifier", "parameters": {}},
        "CodeInvalid",
        "train",
        (
            "artifacts: an ONNX file cannot say where RandomForestClassifier puts missing values, and 1 column has "
            "some: spend; fill them in features, or leave ONNX out: artifacts: [Skops]"
        ),
    ),
    ("an estimator that ONNX cannot say", {"estimator": f"{OWN}:unconvertible"}, "CodeInvalid", "publish", None),
]
