"""Reads a DuckDB file in a process of its own: what is wrong with one may end the process.

    python -I duck_child.py PATH tables          the names of its tables and views, as JSON
    python -I duck_child.py PATH rows QUERY      the answer, as a stream of Arrow batches

The file is opened read-only, and with it nothing else: no other file, no network, no extension, and
no setting can be changed. A query is one SELECT. What DuckDB says against it goes to standard
error, with exit code 3. This file knows nothing of the rest of the program.
"""

import json
import resource
import sys

ROWS = 1 << 16
REFUSED = 3
CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "memory_limit": "1GiB",
    "temp_directory": "",
    "lock_configuration": "true",
}
TABLES = """
SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' AND NOT internal
UNION ALL SELECT view_name FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal
ORDER BY 1
"""


def main(path: str, wanted: str, query: str = "") -> int:
    """Answer on standard output."""
    import duckdb

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with duckdb.connect(path, read_only=True, config=CLOSED) as connection:
            if wanted == "tables":
                found = connection.execute(TABLES).fetchall()
                sys.stdout.write(json.dumps([name for (name,) in found]))
                return 0
            statements = connection.extract_statements(query)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                sys.stderr.write("it is not one SELECT")
                return REFUSED
            import pyarrow as pa

            reader = connection.sql(query).to_arrow_reader(ROWS)
            with pa.ipc.new_stream(sys.stdout.buffer, reader.schema) as out:
                for batch in reader:
                    out.write_batch(batch)
            return 0
    except (duckdb.Error, UnicodeDecodeError) as error:
        sys.stderr.write(str(error)[:2000])
        return REFUSED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
