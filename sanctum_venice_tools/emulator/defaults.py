"""How a local Venice is when nothing else is said; light, for those who only start one."""

LOCAL_KEY = "venice-local-key"
JOB_SECONDS = 8.0
START_USD = 25.0
