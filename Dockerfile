# One image for all of Airflow's parts and the command line; see docker-compose.yml and docs/production.md.
FROM python:3.11-slim-bookworm

RUN useradd --create-home --uid 5000 huiliu
WORKDIR /opt/huiliu
RUN chown huiliu /opt/huiliu
USER huiliu

# Dependencies first: they change less often than the code.
COPY --chown=huiliu pyproject.toml requirements.lock requirements-dev.lock requirements-bootstrap.lock README.md LICENSE ./
COPY --chown=huiliu scripts scripts
COPY --chown=huiliu huiliu huiliu
COPY --chown=huiliu ingestion ingestion
COPY --chown=huiliu linkage linkage
COPY --chown=huiliu transformation transformation
COPY --chown=huiliu soda_checks soda_checks
COPY --chown=huiliu returnflow returnflow
COPY --chown=huiliu simulator simulator
RUN scripts/setup.sh requirements.lock
COPY --chown=huiliu dags dags
COPY --chown=huiliu dbt_project dbt_project
COPY --chown=huiliu reference reference

ENV PATH=/opt/huiliu/.venv/bin:$PATH HUILIU_HOME=/var/lib/huiliu
USER root
RUN install -d -o huiliu -g huiliu /var/lib/huiliu
USER huiliu
VOLUME /var/lib/huiliu
ENTRYPOINT ["huiliu"]
