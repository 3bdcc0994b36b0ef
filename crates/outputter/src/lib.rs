//! Salt's result layouts: highstate, nested, json, yaml, txt.
