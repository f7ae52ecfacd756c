"""Whatever is typed or written wrongly on a laptop ends with its exit code and one sentence, before data is read."""

import pytest

from tests.training.wrong_uses import FILES, WRONG_USES


@pytest.mark.parametrize(("use", "sentence"), [case[1:] for case in WRONG_USES], ids=[case[0] for case in WRONG_USES])
def test_is_refused_with_one_sentence(laptop, use, sentence):
    manifest, arguments = use
    for name, content in FILES.items():
        laptop.write(name, content)
    if manifest:
        laptop.manifest(**manifest)
    said = laptop.types(*arguments)
    assert (said.err, said.code) == (sentence.replace("{here}", str(laptop.folder.resolve())), 64)
    assert said.out == ""
