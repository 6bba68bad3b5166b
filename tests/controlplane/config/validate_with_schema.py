#!/usr/bin/env python3
"""Judges config files by the schema as an editor would: validate_with_schema.py SCHEMA FILE…

Prints a line for each file that the schema refuses, with the place and the reason.
"""
import json
import sys

import jsonschema
import yaml


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            config = yaml.safe_load(file)
        for error in validator.iter_errors(config):
            place = ".".join(str(part) for part in error.absolute_path)
            print(f"{path}: {place}: {error.message}")


main()
