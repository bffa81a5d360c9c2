"""Reads topics from outside the product: kcat for the records, the registry for the schemas, Avro decoded here."""
import json
import struct
import subprocess
import urllib.request


class Avro:
    """A reader of Avro binary by its writer schema; yields plain Python values."""

    def __init__(self, schema):
        self.names = {}
        self.schema = schema

    def decode(self, data):
        value, rest = self._read(self.schema, data, 0)
        if rest != len(data):
            raise ValueError(f"{len(data) - rest} bytes left over")
        return value

    @staticmethod
    def _varint(data, at):
        shift = result = 0
        while True:
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (result >> 1) ^ -(result & 1), at

    def _read(self, schema, data, at):
        if isinstance(schema, list):
            branch, at = self._varint(data, at)
            return self._read(schema[branch], data, at)
        kind = schema["type"] if isinstance(schema, dict) else schema
        if isinstance(kind, (dict, list)):
            return self._read(kind, data, at)
        if isinstance(schema, dict) and "name" in schema:
            self.names[schema["name"]] = schema
        return getattr(self, "_" + kind, self._named)(schema, data, at)

    def _named(self, schema, data, at):
        name = schema if isinstance(schema, str) else schema["type"]
        return self._read(self.names[name.split(".")[-1]], data, at)

    def _null(self, _, __, at):
        return None, at

    def _boolean(self, _, data, at):
        return data[at] == 1, at + 1

    def _int(self, _, data, at):
        return self._varint(data, at)

    _long = _int

    def _double(self, _, data, at):
        return struct.unpack_from("<d", data, at)[0], at + 8

    def _float(self, _, data, at):
        return struct.unpack_from("<f", data, at)[0], at + 4

    def _bytes(self, _, data, at):
        size, at = self._varint(data, at)
        return data[at:at + size], at + size

    def _string(self, _, data, at):
        value, at = self._bytes(None, data, at)
        return value.decode(), at

    def _enum(self, schema, data, at):
        index, at = self._varint(data, at)
        return schema["symbols"][index], at

    def _record(self, schema, data, at):
        value = {}
        for field in schema["fields"]:
            value[field["name"]], at = self._read(field["type"], data, at)
        return value, at

    def _array(self, schema, data, at):
        values = []
        while True:
            count, at = self._varint(data, at)
            if count == 0:
                return values, at
            if count < 0:
                count, (_, at) = -count, self._varint(data, at)
            for _ in range(count):
                value, at = self._read(schema["items"], data, at)
                values.append(value)

    def _map(self, schema, data, at):
        values = {}
        while True:
            count, at = self._varint(data, at)
            if count == 0:
                return values, at
            if count < 0:
                count, (_, at) = -count, self._varint(data, at)
            for _ in range(count):
                key, at = self._string(None, data, at)
                values[key], at = self._read(schema["values"], data, at)


class Registry:
    def __init__(self, url):
        self.url = url
        self.schemas = {}

    def decode(self, value):
        """A value in Confluent's wire format: a zero byte, the schema id, Avro."""
        if value[0] != 0:
            raise ValueError(f"no magic byte: {value[:8].hex()}")
        schema_id = int.from_bytes(value[1:5], "big")
        if schema_id not in self.schemas:
            with urllib.request.urlopen(f"{self.url}/schemas/ids/{schema_id}", timeout=10) as answer:
                self.schemas[schema_id] = Avro(json.loads(json.load(answer)["schema"]))
        return self.schemas[schema_id].decode(value[5:])


def read_topic(bootstrap, topic, timeout=60):
    """Every committed record now in the topic: (partition, offset, timestamp, key, value) with None for nulls."""
    out = subprocess.run(
        ["kcat", "-C", "-b", bootstrap, "-t", topic, "-o", "beginning", "-e", "-q", "-X", "isolation.level=read_committed",
         "-f", "%p %o %T %K %S\n%k%s"], capture_output=True, timeout=timeout, check=True).stdout
    records = []
    at = 0
    while at < len(out):
        end = out.index(b"\n", at)
        partition, offset, timestamp, key_size, value_size = map(int, out[at:end].split())
        at = end + 1
        key = None if key_size < 0 else out[at:at + key_size]
        at += max(key_size, 0)
        value = None if value_size < 0 else out[at:at + value_size]
        at += max(value_size, 0)
        records.append((partition, offset, timestamp, key, value))
    return records
