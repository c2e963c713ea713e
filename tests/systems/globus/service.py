"""A stand-in of Globus Auth and of the Globus Compute web service on loopback, before a real endpoint.
Tasks go to a real globus-compute user endpoint over a real RabbitMQ. Its parent gives the AMQP address, a
folder, a client id and its secret by the environment; it prints one line of JSON once it listens, and ends
with its standard input."""
import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid

import pika
from flask import Flask, jsonify, request
from werkzeug.serving import make_server

AMQP = os.environ["TEST_AMQP"]
FOLDER = os.environ["TEST_FOLDER"]
CLIENT = "%s:%s" % (os.environ["TEST_CLIENT_ID"], os.environ["TEST_CLIENT_SECRET"])
ENDPOINT = str(uuid.uuid4())
CONFIG = """\
heartbeat_period: 5
engine:
  type: GlobusComputeEngine
  run_in_sandbox: true
  max_workers_per_node: 2
  encrypted: true
  address: 127.0.0.1
  provider:
    type: LocalProvider
    min_blocks: 1
    max_blocks: 1
    init_blocks: 1
"""

TOKEN = uuid.uuid4().hex

tokens, functions, tasks, heartbeat = {TOKEN}, {}, {}, {}
lock = threading.Lock()
app = Flask(__name__)


def refuse(code, http, detail, *args):
    return jsonify(status="Failed", code=code, error_args=args, http_status_code=http, detail=detail, reason=detail), http


@app.before_request
def check_token():
    if request.path == "/v2/oauth2/token":
        return None
    if request.headers.get("Authorization", "")[len("Bearer "):] not in tokens:
        return refuse("INVALID_AUTH_TOKEN", 401, "Credentials are invalid")
    if not request.headers.get("User-Agent"):
        return refuse("UNPROCESSABLE_ENTITY", 422, "user-agent missing")
    return None


@app.post("/v2/oauth2/token")
def grant():
    basic = request.headers.get("Authorization", "")[len("Basic "):]
    if base64.b64decode(basic).decode() != CLIENT or request.form.get("grant_type") != "client_credentials":
        return jsonify(error="invalid_client", errors=[]), 401
    token = uuid.uuid4().hex
    tokens.add(token)
    return jsonify(
        access_token=token,
        scope=request.form["scope"],
        expires_in=172800,
        token_type="Bearer",
        resource_server="funcx_service",
        other_tokens=[],
    )


@app.post("/v3/functions")
def register():
    body = request.json
    lacking = [["body", name] for name in ("function_name", "function_code", "meta") if name not in body]
    lacking += [
        ["body", "meta", name]
        for name in ("python_version", "sdk_version", "serde_identifier")
        if name not in body.get("meta", {})
    ]
    if lacking:
        return jsonify(detail=[{"loc": place, "msg": "field required"} for place in lacking]), 422
    function = str(uuid.uuid4())
    functions[function] = body
    return jsonify(function_uuid=function)


@app.get("/v2/endpoints/<endpoint>/status")
def endpoint_status(endpoint):
    if endpoint != ENDPOINT:
        return refuse("ENDPOINT_NOT_FOUND", 404, "Endpoint %s could not be resolved" % endpoint, endpoint)
    return jsonify(status="online" if time.time() - heartbeat.get("at", 0) < 90 else "offline")


@app.post("/v3/endpoints/<endpoint>/submit")
def submit(endpoint):
    if endpoint != ENDPOINT:
        return refuse("ENDPOINT_NOT_FOUND", 404, "Endpoint %s could not be resolved" % endpoint, endpoint)
    body = request.json
    messages, answer = [], {}
    for function, payloads in body["tasks"].items():
        if function not in functions:
            return refuse("FUNCTION_NOT_FOUND", 404, "Function %s could not be resolved" % function, function)
        answer[function] = []
        for payload in payloads:
            task = str(uuid.uuid4())
            answer[function].append(task)
            with lock:
                tasks[task] = {"task_id": task, "status": "waiting-for-ep"}
            data = {
                "task_id": task,
                "container_id": None,
                "container": None,
                "task_buffer": functions[function]["function_code"] + payload,
            }
            headers = {
                "function_uuid": function,
                "task_uuid": task,
                "resource_specification": json.dumps(body.get("resource_specification")),
            }
            if body.get("result_serializers"):
                headers["result_serializers"] = body["result_serializers"]
            messages.append((b"\x01" + json.dumps({"message_type": "task", "data": data}).encode(), headers))
    with connect() as connection:
        channel = connection.channel()
        for message, headers in messages:
            properties = pika.BasicProperties(
                content_type="application/json", content_encoding="utf-8", delivery_mode=2, headers=headers
            )
            channel.basic_publish("tasks", ENDPOINT + ".tasks", message, properties)
    return jsonify(request_id=str(uuid.uuid4()), task_group_id=str(uuid.uuid4()), endpoint_id=endpoint, tasks=answer)


@app.post("/v2/batch_status")
def batch_status():
    unknown = {"status": "failed", "reason": "Unknown task id"}
    with lock:
        results = {task: tasks.get(task, dict(unknown, task_id=task)) for task in request.json["task_ids"]}
    return jsonify(response="batch", results=results)


def connect():
    return pika.BlockingConnection(pika.URLParameters(AMQP))


def declare():
    with connect() as connection:
        channel = connection.channel()
        channel.exchange_declare("tasks", "direct", durable=True)
        channel.queue_declare(ENDPOINT + ".tasks", durable=True)
        channel.queue_bind(ENDPOINT + ".tasks", "tasks", ENDPOINT + ".tasks")
        for name in ("results", "heartbeats"):
            channel.exchange_declare(name, "topic", durable=True)
            channel.queue_declare(name, durable=True)
            channel.queue_bind(name, name, "*." + name)


def consume():
    def result(channel, method, _properties, body):
        data = json.loads(body[1:])["data"]
        task = {"task_id": data["task_id"], "completion_t": str(time.time())}
        if data.get("error_details"):
            task.update(status="failed", exception=data["data"])
        else:
            task.update(status="success", result=data["data"])
        with lock:
            tasks[data["task_id"]] = task
        channel.basic_ack(method.delivery_tag)

    def beat(channel, method, _properties, _body):
        heartbeat["at"] = time.time()
        channel.basic_ack(method.delivery_tag)

    with connect() as connection:
        channel = connection.channel()
        channel.basic_consume("results", result)
        channel.basic_consume("heartbeats", beat)
        channel.start_consuming()


def queue(name, **publish):
    return {"connection_url": AMQP, "exchange": name, "queue": name, **publish}


def outbound(name):
    publish = {
        "exchange": name,
        "routing_key": "%s.%s" % (ENDPOINT, name),
        "mandatory": True,
        "properties": {"delivery_mode": 2},
    }
    return queue(name, queue_publish_kwargs=publish)


def start_endpoint():
    os.makedirs(FOLDER + "/.globus_compute/test", exist_ok=True)
    log = open(FOLDER + "/endpoint.log", "wb")
    child = subprocess.Popen(
        [os.path.join(os.path.dirname(sys.executable), "globus-compute-endpoint"), "_start-user-endpoint", "test"],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        env=dict(
            os.environ,
            HOME=FOLDER,
            GLOBUS_COMPUTE_USER_DIR=FOLDER + "/.globus_compute",
            PATH=os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"],
        ),
        start_new_session=True,
    )
    start = {
        "ep_info": {"posix_ppid": os.getpid()},
        "amqp_creds": {
            "endpoint_id": ENDPOINT,
            "task_queue_info": dict(queue("tasks"), queue=ENDPOINT + ".tasks"),
            "result_queue_info": outbound("results"),
            "heartbeat_queue_info": outbound("heartbeats"),
        },
        "config": CONFIG,
    }
    child.stdin.write(json.dumps(start).encode())
    child.stdin.close()
    return child


def main():
    declare()
    threading.Thread(target=consume, daemon=True).start()
    child = start_endpoint()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while "at" not in heartbeat and child.poll() is None:
        time.sleep(0.1)
    if child.poll() is None:
        print(json.dumps({"port": server.server_port, "endpoint": ENDPOINT, "token": TOKEN}), flush=True)
        sys.stdin.read()
    for name in ("SIGTERM", "SIGKILL"):
        try:
            os.killpg(child.pid, getattr(signal, name))
            child.wait(20)
        except (OSError, subprocess.TimeoutExpired):
            pass
    # its workers live in sessions of their own
    os._exit(0)


main()
