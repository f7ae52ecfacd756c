# The operator's image: docker build -t mira-operator .
# No compiler, no shell tools beyond the base image's, no root; the training image has its own Dockerfile in training-image/.
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS packages
COPY requirements/operator.txt /tmp/operator.txt
# Every file by its hash and none built here: what is installed is what was tested.
RUN python -m venv --without-pip /opt/mira \
    && python -m pip --python /opt/mira/bin/python install --no-cache-dir --no-compile --no-deps --require-hashes --only-binary :all: \
       --requirement /tmp/operator.txt

FROM ${PYTHON}
COPY --from=packages /opt/mira /opt/mira
COPY operator/mira /opt/mira/operator/mira
ENV PATH=/opt/mira/bin:$PATH \
    PYTHONPATH=/opt/mira/operator \
    PYTHONUNBUFFERED=1 \
    # The root file system is read-only.
    PYTHONDONTWRITEBYTECODE=1
# Compiled once here, because nothing can be written later; a start then takes a second less.
RUN python -m compileall -q /opt/mira/operator /opt/mira/lib
# By number, so that runAsNonRoot can be checked.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["python", "-m", "mira.controller"]
