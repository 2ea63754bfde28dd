"""Puts numbered messages into a Kinesis stream by boto3, and prints each acknowledgement as a line of JSON.

Each key has its own numbers, from 0 on. A key's next record is put when the one before was acknowledged, so that order
within the key is the order of its numbers, whatever fails in between. A request whose answer is lost is sent again: then
a message may be there twice, and says so ("unsure"). Ends when its standard input does, or when --count messages are put.
"""

import argparse
import hashlib
import json
import random
import sys
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--endpoint", required=True)
arguments.add_argument("--stream", required=True)
arguments.add_argument("--seed", type=int, required=True)
arguments.add_argument("--keys", type=int, default=16)
arguments.add_argument("--count", type=int, help="so many messages; all that can be put without it")
arguments.add_argument("--rate", type=float, help="messages a second, at most")
arguments.add_argument("--bytes", type=int, default=100, help="of a message, about")
arguments.add_argument("--poison", type=float, default=0, help="the share of records that are no JSON")
arguments.add_argument("--again", type=float, default=0, help="the share of messages that are put a second time")
arguments.add_argument("--aggregate", type=float, default=0, help="the share of records that hold several messages")
asked = arguments.parse_args()

MAGIC = b"\xf3\x89\x9a\xc2"
turns = random.Random(asked.seed)
client = boto3.client(
    "kinesis",
    endpoint_url=asked.endpoint,
    region_name="us-east-1",
    aws_access_key_id="x",
    aws_secret_access_key="y",
    # What is tried again is known here, and told.
    config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5),
)


def varint(number):
    out = b""
    while True:
        number, low = number >> 7, number & 127
        if not number:
            return out + bytes([low])
        out += bytes([low | 128])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def aggregated(key, messages):
    """A record as the Kinesis Producer Library packs it."""
    body = field(1, key.encode())
    for message in messages:
        body += field(3, varint(1 << 3) + varint(0) + field(3, message))
    return MAGIC + body + hashlib.md5(body).digest()


def message(key, n, **more):
    text = {"id": f"{key}-{n}", "key": key, "n": n, **more}
    padding = asked.bytes - len(json.dumps(text)) - 8
    return json.dumps({**text, "pad": "x" * max(padding, 0)}).encode()


class Key:
    """What comes next of a key."""

    def __init__(self, number):
        self.name = f"k{number}"
        self.next = 0
        self.again = []
        self.entry = None

    def prepare(self):
        """The record that is to be put, for the first time or again."""
        if self.entry is None:
            self.unsure, kind, numbers, turn = False, "message", [self.next], turns.random()
            entry = {"PartitionKey": self.name}
            if turn < asked.poison:
                kind, numbers = "poison", [self.next]
                entry["Data"] = f"poison of {self.name}, before {self.next}".encode()
            elif self.again:
                kind, numbers = "again", [self.again.pop()]
                entry["Data"] = message(self.name, numbers[0], again=True)
            elif turns.random() < asked.aggregate:
                kind, numbers = "aggregated", list(range(self.next, self.next + turns.randint(1, 5)))
                entry["Data"] = aggregated(self.name, [message(self.name, n) for n in numbers])
                # As the library does it: the record's own key says nothing.
                entry["PartitionKey"] = "a"
                entry["ExplicitHashKey"] = str(int.from_bytes(hashlib.md5(self.name.encode()).digest(), "big"))
            else:
                entry["Data"] = message(self.name, self.next)
            self.entry, self.kind, self.numbers = entry, kind, numbers
        return self.entry

    def acknowledge(self, shard, sequence):
        """Gives how many new messages were put."""
        for sub, n in enumerate(self.numbers):
            position = f"{shard}:{sequence}" + (f":{sub}" if sub else "")
            told = {"key": self.name, "n": n, "kind": self.kind, "position": position, "unsure": self.unsure}
            print(json.dumps(told))
        self.entry = None
        if self.kind in ("poison", "again"):
            return 0
        self.next = self.numbers[-1] + 1
        self.again += [n for n in self.numbers if turns.random() < asked.again]
        return len(self.numbers)


def put(keys):
    """Puts the next record of each of these keys; gives how many new messages were."""
    entries = [key.prepare() for key in keys]
    try:
        if len(keys) == 1:
            answers = [client.put_record(StreamName=asked.stream, **entries[0])]
        else:
            answers = client.put_records(StreamName=asked.stream, Records=entries)["Records"]
    except (ClientError, EndpointConnectionError):
        # Refused: it is not there.
        time.sleep(0.05)
        return 0
    except BotoCoreError:
        # No answer: it may be there.
        for key in keys:
            key.unsure = True
        time.sleep(0.05)
        return 0
    pairs = [(key, answer) for key, answer in zip(keys, answers) if "SequenceNumber" in answer]
    return sum(key.acknowledge(answer["ShardId"], answer["SequenceNumber"]) for key, answer in pairs)


def main():
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    keys, sent, began = [Key(number) for number in range(asked.keys)], 0, time.monotonic()
    while True:
        is_over = ended.is_set() or (asked.count is not None and sent >= asked.count)
        chosen = [key for key in keys if key.entry is not None]
        if is_over and not chosen:
            return
        if not is_over:
            chosen = turns.sample(keys, turns.choice([1, len(keys), max(len(keys) // 2, 1)]))
        sent += put(chosen)
        sys.stdout.flush()
        if asked.rate is not None:
            time.sleep(max(began + sent / asked.rate - time.monotonic(), 0))


main()
