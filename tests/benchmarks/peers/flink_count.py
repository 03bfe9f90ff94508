"""The plain count on Flink SQL: a tumbling window, as its documentation has it, one slot.

PyFlink starts Flink inside a Java process of its own and takes no part in the counting. The first argument but six is
the Kafka connector's jar.
"""

import sys

from job import DISORDER_MS, asked
from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

SETTINGS = {
    "parallelism.default": "1",
    "pipeline.object-reuse": "true",
    "table.local-time-zone": "UTC",
    "taskmanager.memory.process.size": "2g",
    "taskmanager.memory.network.min": "64mb",
}


def main() -> None:
    """Count until stopped."""
    job = asked()
    settings = Configuration()
    for name, value in (SETTINGS | {"pipeline.jars": f"file://{sys.argv[7]}"}).items():
        settings.set_string(name, value)
    tables = TableEnvironment.create(
        EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(settings).build()
    )
    tables.execute_sql(
        f"""
        CREATE TABLE events (
            county STRING,
            category STRING,
            `at` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
            WATERMARK FOR `at` AS `at` - INTERVAL '{DISORDER_MS // 60_000}' MINUTE
        ) WITH (
            'connector' = 'kafka',
            'topic' = '{job.source}',
            'properties.bootstrap.servers' = '{job.bootstrap}',
            'properties.group.id' = '{job.name}',
            'properties.max.poll.records' = '10000',
            'scan.startup.mode' = 'earliest-offset',
            'format' = 'json'
        )
        """
    )
    tables.execute_sql(
        f"""
        CREATE TABLE results (
            county STRING,
            category STRING,
            `start` TIMESTAMP(3),
            `count` BIGINT
        ) WITH (
            'connector' = 'kafka',
            'topic' = '{job.results}',
            'properties.bootstrap.servers' = '{job.bootstrap}',
            'properties.linger.ms' = '5',
            'sink.delivery-guarantee' = 'none',
            'format' = 'json'
        )
        """
    )
    tables.execute_sql(
        """
        INSERT INTO results
        SELECT county, category, window_start, COUNT(*)
        FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(`at`), INTERVAL '1' HOUR))
        GROUP BY county, category, window_start, window_end
        """
    ).wait()


if __name__ == "__main__":
    main()
