"""What people type and write wrongly on a laptop: each with its exit code and the sentence that they read."""

FOREST = "sklearn.ensemble:RandomForestClassifier"
GRADIENT = "sklearn.ensemble:HistGradientBoostingClassifier"


def run(*arguments, **manifest):
    return manifest, ("run", "run.yaml", *arguments)


def forest(**parameters):
    return run(estimator=FOREST, parameters=parameters)


def gradient(**parameters):
    return run(estimator=GRADIENT, parameters=parameters)


def only(*arguments):
    return {}, arguments


def refused(sentence):
    return f"mira-training: {sentence}\n"


def failed(sentence, step=None):
    return f"failed {f'in {step}' if step else 'before any step'}: {sentence}\n"


NAMES = "at most 54"
WRONG_USES = [
    # The command line
    ("no such command", only("train"), "mira-training: argument COMMAND: invalid choice: 'train' (choose from 'run', 'describe', 'infer'); see mira-training --help\n"),
    ("an option that is none", only("run", "run.yaml", "--stage", "x"), "mira-training: unrecognized arguments: --stage x; see mira-training --help\n"),
    ("infer without data", only("infer"), "mira-training infer: the following arguments are required: DATA; see mira-training infer --help\n"),
    ("a format that is none", only("infer", "customers.csv", "--format", "Excel"), "mira-training infer: argument --format: invalid choice: 'Excel' (choose from 'CSV', 'Parquet'); see mira-training infer --help\n"),
    # The file
    ("no such file", only("run", "ru.yaml"), refused("OrderInvalid: ru.yaml: cannot be read (No such file or directory); name an order or a manifest")),
    ("a file that is no manifest", only("run", "customers.csv"), refused("OrderInvalid: customers.csv: holds nothing of the kind; it must hold exactly one TrainingRun, or be an order")),
    ("another kind", only("run", "stage.yaml"), refused("OrderInvalid: stage.yaml: holds ModelStage; it must hold exactly one TrainingRun, or be an order")),
    ("broken YAML", only("run", "broken.yaml"), refused("OrderInvalid: broken.yaml: line 3: is no YAML: mapping values are not allowed here")),
    ("a key twice", only("run", "twice.yaml"), refused("OrderInvalid: twice.yaml: line 1: is no YAML: the key 'kind' stands there twice")),
    ("a version of the API that is none", only("run", "v1.yaml"), refused('OrderInvalid: apiVersion: "mira.constellation.dev/v1" is not allowed; write mira.constellation.dev/v1alpha1')),
    ("an order of another version", only("run", "order.json"), refused("OrderInvalid: order.json: schema is 'mira.order/v9', must be 'mira.order/v1'")),
    # The manifest
    ("no name", run(metadata={"generateName": "churn-"}), refused(f"OrderInvalid: metadata.name: null is not allowed; write lower-case letters, digits, dashes and dots, {NAMES}")),
    ("a name in capitals", run(metadata={"name": "Churn_1"}), refused(f'OrderInvalid: metadata.name: "Churn_1" is not allowed; write lower-case letters, digits, dashes and dots, {NAMES}')),
    ("a misspelt field", run(data={"targt": "churned", "target": None}), refused("OrderInvalid: spec.data.targt: is no field of a TrainingRun; did you mean target?")),
    ("a misspelt field at the top", run(estimater="a:b"), refused("OrderInvalid: spec.estimater: is no field of a TrainingRun; did you mean estimator?")),
    ("a task that is none", run(task="Classify"), refused("OrderInvalid: spec.task: \"Classify\" is not allowed: Input should be 'Classification', 'Regression', 'Transform' or 'Custom'")),
    ("no model", run(model=None), refused("OrderInvalid: spec.model: is required")),
    ("a number where text must be", run(data={"split": {"fraction": 0.2}}), refused("OrderInvalid: spec.data.split.fraction: 0.2 is not allowed: Input should be a valid string")),
    ("a version that no version may have", run("--version", "latest"), refused("OrderInvalid: --version: 'latest' is not allowed; write letters, digits, dashes, underscores and single dots, a letter or digit first, and not current, latest, previous")),
    ("a search by a metric that there is not", run(search={"trials": 3, "metric": "auc", "space": {"max_iter": [1, 2]}}), failed("InvalidParameters: search.metric: auc is not known for task Classification; allowed: roc_auc, average_precision, log_loss, brier, accuracy, f1, roc_auc_ovr, f1_macro")),
    ("a search over a parameter that there is not", run(search={"trials": 3, "metric": "roc_auc", "space": {"max_itr": [1, 2]}}), failed("InvalidParameters: search.space.max_itr: is unknown to gradient_boosting; allowed: early_stopping, l2_regularization, learning_rate, max_depth, max_features, max_iter, max_leaf_nodes, min_samples_leaf")),
    ("no target", run(data={"target": None}), failed("OrderInvalid: spec.data.target: is required for task Classification; name the column to predict")),
    # Places
    ("a registry of another kind", run("--registry", "gs://models"), refused("OrderInvalid: --registry: gs://models is not allowed; write s3://bucket/root, file:///folder or a folder's path")),
    ("a registry that is a file", run("--registry", "customers.csv"), refused("RegistryRefused: --registry: customers.csv is a file; name a folder, or s3://bucket/root")),
    ("data of another kind", run(data={"training": {"uri": "https://example.com/a.csv"}}), refused("OrderInvalid: spec.data.training.uri: https://example.com/a.csv is not allowed; write s3://bucket/key, file:///path or a path relative to the manifest")),
    ("a folder without its slash", run(data={"training": {"uri": "."}}), refused("DataInvalid: spec.data.training.uri: . is a folder; write ./ for all files below it")),
    ("data that is not there", run(data={"training": {"uri": "customer.csv"}}), failed("DataNotFound: data.training.uri: file://{here}/customer.csv does not exist; write an object's uri, or a prefix that ends in /", "ingest")),
    ("a folder without data", run(data={"training": {"uri": "none/", "format": "CSV"}}), failed("DataNotFound: data.training.uri: file://{here}/none/ holds no object with data; check the prefix", "ingest")),
    ("a version to compare with that is not there", run("--against", "churn-0"), failed("VersionNotFound: against: model churn has no version 'churn-0' in this registry (it has: none)")),
    # Code and parameters, before any data is read: there is none in these
    ("code that is not there", run(estimator="churn.model:build"), failed("CodeNotFound: estimator: the image has no module 'churn.model'; build it in, or correct the name")),
    ("describe: code that is not there", only("describe", "churn.model:build"), refused("CodeNotFound: estimator: the image has no module 'churn.model'; build it in, or correct the name")),
    ("describe: a name that nobody registered", only("describe", "forest"), refused("CodeNotFound: estimator: 'forest' is not registered in this image (registered: none); write module:attr")),
    ("too small a number", gradient(max_iter=-1), failed(f"InvalidParameters: parameters.max_iter: -1 is not allowed; allowed: a whole number of at least 1 (declared by {GRADIENT})")),
    ("a text that is none of the allowed", gradient(loss="wrong"), failed(f'InvalidParameters: parameters.loss: "wrong" is not allowed; allowed: "log_loss" (declared by {GRADIENT})')),
    ("a fraction where a whole number must be", gradient(max_depth=2.5), failed(f"InvalidParameters: parameters.max_depth: 2.5 is not allowed; allowed: a whole number of at least 1, or null (declared by {GRADIENT})")),
    ("true where a number must be", gradient(max_iter=True), failed(f"InvalidParameters: parameters.max_iter: true is not allowed; allowed: a whole number of at least 1 (declared by {GRADIENT})")),
    ("text where a number must be", gradient(learning_rate="0.1"), failed(f'InvalidParameters: parameters.learning_rate: "0.1" is not allowed; allowed: a number above 0 (declared by {GRADIENT})')),
    ("a number that could be read in two ways", forest(max_features=1), failed(f'InvalidParameters: parameters.max_features: 1 can be read in two ways, because 1.0 is stored as 1; write "1.0" (a share) or "1" (how many) (declared by {FOREST})')),
    ("the same as a fraction: 1.0 arrives as 1", forest(max_features=1.0), failed(f'InvalidParameters: parameters.max_features: 1 can be read in two ways, because 1.0 is stored as 1; write "1.0" (a share) or "1" (how many) (declared by {FOREST})')),
    ("a number of which one way is not allowed", forest(min_samples_split=1), failed(f'InvalidParameters: parameters.min_samples_split: 1 can be read in two ways, because 1.0 is stored as 1; write "1.0" (a share) or a whole number of at least 2 (declared by {FOREST})')),
    ("two wrong ones and an unknown one", gradient(max_iter=0, loss=3, depth=4), failed(f'InvalidParameters: parameters.loss: 3 is not allowed; allowed: "log_loss"; parameters.max_iter: 0 is not allowed; allowed: a whole number of at least 1 (declared by {GRADIENT}); parameters.depth: is unknown to {GRADIENT}; allowed: categorical_features, class_weight, early_stopping, interaction_cst, l2_regularization, learning_rate, loss, max_bins, max_depth, max_features, max_iter, max_leaf_nodes, min_samples_leaf, monotonic_cst, n_iter_no_change, scoring, tol, validation_fraction, verbose, warm_start')),
    # infer
    ("infer: data that is not there", only("infer", "customer.csv"), refused("DataNotFound: DATA: {here}/customer.csv does not exist; name one .csv, .csv.gz or .parquet")),
    ("infer: a suffix that says nothing", only("infer", "run.yaml"), refused("DataInvalid: --format: is required for file://{here}/run.yaml, whose suffix is not .csv, .csv.gz or .parquet")),
    ("infer: a target that is not there", only("infer", "customers.csv", "--target", "churn"), refused("ColumnsMissing: --target: column 'churn' is missing (have: customer, age, spend, plan, active, since, churned, loss, band)")),
    ("infer: no Parquet", only("infer", "customers.csv", "--format", "Parquet"), refused("DataUnreadable: file://{here}/customers.csv: cannot be read as Parquet: Parquet magic bytes not found in footer. Either the file is corrupted or this is not a parquet file.")),
]  # fmt: skip
FILES = {
    "stage.yaml": "apiVersion: mira.constellation.dev/v1alpha1\nkind: ModelStage\n",
    "broken.yaml": "kind: TrainingRun\nspec:\n  model: a: b\n",
    "twice.yaml": "kind: TrainingRun\nkind: TrainingRun\n",
    "v1.yaml": "apiVersion: mira.constellation.dev/v1\nkind: TrainingRun\n",
    "order.json": '{"schema": "mira.order/v9"}',
}
