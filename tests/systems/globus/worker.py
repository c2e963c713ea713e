"""Executes one task as the documented loop of a Globus Compute worker does: unpacks it, decodes function
and arguments, calls, packs the result. Reads a JSON object {"buffer": …} on stdin, writes one with
"result", or with "exception" where it was raised, on stdout."""
import json
import os
import sys
import traceback


def unpack(text):
    buffers = []
    while text:
        length, _, text = text.partition("\n")
        buffers.append(text[: int(length)])
        text = text[int(length):]
    return buffers


def load(buffer):
    kind, body = buffer[:3], buffer[3:]
    if kind == "11\n":
        return json.loads(body)
    if kind == "st\n":
        name, _, source = body.partition(":")
        namespace = {}
        exec(source, namespace)
        return namespace[name]
    raise ValueError("No strategy for %r" % kind)


task = json.load(sys.stdin)
# what the function prints is the worker's, and not the answer
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
try:
    function, args, kwargs = (load(buffer) for buffer in unpack(task["buffer"]))
    value = function(*args, **kwargs)
    if task.get("pickled"):
        import base64
        import pickle

        result = "00\n" + base64.b64encode(pickle.dumps(value)).decode()
    else:
        result = "11\n" + json.dumps(value)
    json.dump({"result": result}, answer)
except Exception:
    json.dump({"exception": traceback.format_exc()}, answer)
answer.flush()
# threads that wait don't hold a worker up
os._exit(0)
