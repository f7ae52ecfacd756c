"""The chart's copies of CRDs and policies: `python -m mira.adapters.policies.chart` writes them, `--check` compares."""

import re
import sys

from mira.adapters.policies import FILLING, PLACEHOLDER, VALIDATING, source
from mira.api import crd

COMMAND = "python -m mira.adapters.policies.chart"
TEMPLATES = "charts/mira/templates"
HEADER = "{{- /* Written by `COMMAND` from ORIGIN; change that and run it again. */ -}}\n".replace("COMMAND", COMMAND)
NAME = re.compile(r"^metadata:\n  name: \S+\n", re.MULTILINE)

# What is kept has to be kept together: objects of kinds without policies could be forged until Mira is back.
METADATA = """\
  labels:
    {{- include "mira.labels" . | nindent 4 }}
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
"""
CRDS = ".Values.crds.enabled"
RULES = ".Values.policies.enabled"
SERVED = '.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"'
FILL = f"and .Values.policies.enabled .Values.policies.fill ({SERVED})"


def files() -> dict[str, str]:
    """Every generated template and its text."""
    texts = {
        name.replace("crds/", f"{TEMPLATES}/crds/", 1): _template(
            text.removeprefix(crd.HEADER), "operator/mira/api", CRDS
        )
        for name, text in crd.files().items()
    }
    for condition, names in ((RULES, VALIDATING), (FILL, FILLING)):
        for name in names:
            origin = f"operator/mira/adapters/policies/{name}.yaml"
            texts[f"{TEMPLATES}/policies/{name}.yaml"] = _template(source(name), origin, condition)
    return texts


def _template(text: str, origin: str, condition: str) -> str:
    """The manifest as a template: its own braces escaped, labelled, kept on uninstall, only under the condition."""
    escaped = text.replace("{{", '{{ "{{" }}')
    labelled = NAME.sub(lambda match: match[0] + METADATA, escaped)
    filled = labelled.replace(PLACEHOLDER, '{{ include "mira.celAccounts" . }}')
    return HEADER.replace("ORIGIN", origin) + "{{- if " + condition + " }}\n" + filled + "{{- end }}\n"


def main(argv: list[str] | None = None) -> int:
    """Write or check the templates; the exit code."""
    return crd.write_or_check(files(), COMMAND, argv)


if __name__ == "__main__":
    sys.exit(main())
