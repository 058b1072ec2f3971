"""What runs when: one DAG a source, then build, score, return and metrics, each started by the one before."""
