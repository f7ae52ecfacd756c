"""What is wrong with trainings of the user's own: what they return, and what they write."""

OWN = "tests.training.own_tasks"
DROP = ["customer", "since", "loss", "band", "churned"]

GIVEN_TO_TRAIN = "training, evaluation, columns, folder, seed, progress"
RETURN = 'return {"name": (number, "Higher" | "Lower")}, or that and a scorer'
DIRECTED = '(number, "Higher" | "Lower"): which values are the better ones'


def custom(train, artifacts=("Directory",), data=None, **spec):
    given = {"task": "Custom", "artifacts": list(artifacts), "parameters": {}}
    given |= {"hooks": {"train": f"{OWN}:{train}"}, "data": {"drop": DROP[:-1]} | (data or {})}
    return given | spec


def said(of, what):
    return f"{of}: {OWN}:{what}"


TRAININGS = [
    (
        "a training that raises",
        custom("train_that_raises"),
        "CodeFailed",
        "train",
        f"hooks.train {OWN}:train_that_raises raises RuntimeError: out of luck (own_tasks.py:225)",
    ),
    (
        "a training that returns nothing",
        custom("train_that_says_nothing"),
        "CodeInvalid",
        "train",
        f"{said('hooks.train', 'train_that_says_nothing')} returns nothing; {RETURN}",
    ),
    (
        "a training that measures nothing",
        custom("train_that_measures_nothing"),
        "CodeInvalid",
        "train",
        f"{said('hooks.train', 'train_that_measures_nothing')} returns neither a metric nor a scorer; {RETURN}",
    ),
    (
        "a metric without a direction",
        custom("train_undirected"),
        "CodeInvalid",
        "train",
        f"{said('hooks.train', 'train_undirected')} gives hits without a direction; it must be {DIRECTED}",
    ),
    (
        "a metric with a name that gates cannot use",
        custom("train_badly_named"),
        "CodeInvalid",
        "train",
        f"{said('hooks.train', 'train_badly_named')} gives a metric named 'hits of the model': String should match pattern '^[A-Za-z0-9][A-Za-z0-9_.@-]*$'",
    ),
    (
        "a metric that Mira measures too",
        custom("train_twice_measured"),
        "CodeInvalid",
        "evaluate",
        "hooks: roc_auc is measured twice, by Mira and by user code or by two hooks; use another name",
    ),
    (
        "a scorer without a target",
        custom("train_three_classes", data={"target": None}),
        "CodeInvalid",
        "train",
        (
            f"{said('hooks.train', 'train_three_classes')} returns a scorer, but there is nothing to hold it against; set "
            "data.target, or return the metrics alone"
        ),
    ),
    (
        "a scorer that gives one class's probability",
        custom("train_half_scores"),
        "CodeInvalid",
        "train",
        f"hooks.train: the scorer of {OWN}:train_half_scores gives one number per row; it must give 109 x 2 probabilities, because 'churned' has 2 classes",
    ),
    (
        "a scorer of another number of classes",
        custom("train_three_classes"),
        "CodeInvalid",
        "train",
        f"hooks.train: the scorer of {OWN}:train_three_classes gives an array of 109 x 3; it must give 109 x 2",
    ),
    (
        "a scorer of missing numbers",
        custom("train_missing_scores"),
        "CodeInvalid",
        "train",
        f"hooks.train: the scorer of {OWN}:train_missing_scores gives 218 numbers that are not finite; it must give finite numbers",
    ),
    (
        "slices that need a scorer",
        custom("train_alone", evaluation={"slices": ["plan"]}),
        "CodeInvalid",
        "evaluate",
        (
            f"evaluation.slices: need a scorer, and hooks.train {OWN}:train_alone returns none; return one, or remove "
            "slices"
        ),
    ),
    (
        "metrics that need a scorer",
        custom("train_alone") | {"hooks": {"train": f"{OWN}:train_alone", "metrics": f"{OWN}:undirected_metrics"}},
        "CodeInvalid",
        "evaluate",
        (
            f"hooks.metrics: needs a scorer, and hooks.train {OWN}:train_alone returns no scorer, so nothing can be asked "
            "about these rows; return one, or measure in hooks.train"
        ),
    ),
    (
        "a training without its file",
        custom("train_no_file", artifacts=["ONNX"]),
        "CodeInvalid",
        "train",
        (
            f"{said('hooks.train', 'train_no_file')} wrote no model.onnx (wrote: nothing); write it, or list other "
            "artifacts"
        ),
    ),
    (
        "a training without any file",
        custom("train_no_file"),
        "CodeInvalid",
        "train",
        (
            f"{said('hooks.train', 'train_no_file')} wrote no file for artifact Directory; write into folder, or list "
            "other artifacts"
        ),
    ),
    (
        "a training with more files than listed",
        custom("train_more_than_listed", artifacts=["Joblib"]),
        "CodeInvalid",
        "train",
        f"{said('hooks.train', 'train_more_than_listed')} wrote notes.txt, which artifacts does not list; add Directory to artifacts",
    ),
    (
        "a training with another file than the listed one",
        custom("train", artifacts=["ONNX"]),
        "CodeInvalid",
        "train",
        (
            f"{said('hooks.train', 'train')} wrote no model.onnx (wrote: trees/rounds.txt); write it, or list other "
            "artifacts"
        ),
    ),
    (
        "a training that leaves a link",
        custom("train_link"),
        "CodeInvalid",
        "train",
        f"{said('hooks.train', 'train_link')} wrote 'hosts', which is no file but a link or a pipe; write a copy",
    ),
    (
        "an ONNX file that is none",
        custom("train_no_onnx", artifacts=["ONNX"]),
        "CodeInvalid",
        "train",
        f"{said('hooks.train', 'train_no_onnx')} wrote a model.onnx that cannot be used: its ONNX file cannot be loaded: [ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Failed to load model because protobuf parsing failed.; correct it",
    ),
    (
        "a skops file that is none",
        custom("train_no_skops", artifacts=["Skops"]),
        "CodeInvalid",
        "train",
        f"{said('hooks.train', 'train_no_skops')} wrote a model.skops that skops cannot read (BadZipFile); use skops.io.dump",
    ),
    (
        "an ONNX file that takes one tensor of all columns",
        custom("train_onnx_of_one_tensor", artifacts=["ONNX"]),
        "CodeInvalid",
        "train",
        (
            f"{said('hooks.train', 'train_onnx_of_one_tensor')} wrote a model.onnx that takes X; it must take columns by "
            "their names, each rows x 1 (have: age, spend, plan, active)"
        ),
    ),
    (
        "an ONNX file that says something else than the scorer",
        custom("train_onnx_that_disagrees", artifacts=["ONNX"]),
        "CodeInvalid",
        "train",
        f"{said('hooks.train', 'train_onnx_that_disagrees')}: model.onnx disagrees with the model in 109 of 109 rows, by up to 0.1; correct it, or write no model.onnx",
    ),
]
