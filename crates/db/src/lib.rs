//! The store: schema, migrations, queries.
