#!/usr/bin/python3
"""A yggdrasil worker that sends back what it is sent: directive "echo" in, directive "echoed" out.

Needs Debian's python3-grpcio and python3-protobuf. A worker generated from yggdrasil.proto by protoc does the same; the few messages
are described here by hand so that one file is enough. Run by the daemon (see echo.toml), or by hand with YGG_SOCKET_ADDR set.
"""
import os
import sys
import uuid
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

TEXT, BYTES, FLAG, INT64, ENUM = 9, 12, 8, 3, 5  # an enum is an int32 on the wire
MESSAGES = {
    "Empty": [],
    "EventReceipt": [],
    "RegistrationRequest": [("handler", TEXT), ("pid", INT64), ("detached_content", FLAG), ("features", "map")],
    "RegistrationResponse": [("registered", FLAG), ("address", TEXT)],
    "Data": [("message_id", TEXT), ("metadata", "map"), ("content", BYTES), ("response_to", TEXT), ("directive", TEXT)],
    "Response": [("response", BYTES)],
    "EventNotification": [("name", ENUM), ("detail", TEXT), ("metadata", "map")],
    "Config": [(name, TEXT) for name in ("log_level", "client_id", "socket_addr", "server", "cert_file", "key_file", "ca_root")],
}


def contract():
    file = descriptor_pb2.FileDescriptorProto(name="yggdrasil.proto", package="yggdrasil", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields, start=1):
            if kind == "map":
                entry = message.nested_type.add(name=field.capitalize() + "Entry")
                entry.options.map_entry = True
                entry.field.add(name="key", number=1, type=TEXT, label=1)
                entry.field.add(name="value", number=2, type=TEXT, label=1)
                message.field.add(name=field, number=number, type=11, label=3, type_name=f".yggdrasil.{name}.{entry.name}")
            else:
                message.field.add(name=field, number=number, type=kind, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("yggdrasil." + name)) for name in MESSAGES}


M = contract()


def target(address):
    """Go writes an abstract socket as @name; gRPC's C core wants it spelled out."""
    bare = address[len("unix:"):] if address.startswith("unix:") else address
    return "unix-abstract:" + bare[1:] if bare.startswith("@") else "unix:" + bare


class Worker(grpc.GenericRpcHandler):
    def __init__(self, send):
        self.send_out = send

    def service(self, call):
        if call.method == "/yggdrasil.Worker/Send":
            return grpc.unary_unary_rpc_method_handler(self.send, M["Data"].FromString, M["Response"].SerializeToString)
        if call.method == "/yggdrasil.Worker/NotifyEvent":
            return grpc.unary_unary_rpc_method_handler(self.notify, M["EventNotification"].FromString, M["EventReceipt"].SerializeToString)
        return None

    def send(self, data, context):
        answer = self.send_out(M["Data"](message_id=str(uuid.uuid4()), response_to=data.message_id, directive="echoed", metadata=data.metadata, content=data.content))
        print(f"echoed {data.message_id}: {answer.response.decode()}", flush=True)
        return M["Response"]()

    def notify(self, event, context):
        print(f"event {event.name}", flush=True)
        return M["EventReceipt"]()


def main():
    channel = grpc.insecure_channel(target(os.environ["YGG_SOCKET_ADDR"]))

    def call(method, message, answer):
        return channel.unary_unary(method, M[type(message).DESCRIPTOR.name].SerializeToString, M[answer].FromString)(message, timeout=30)

    config = call("/yggdrasil.Dispatcher/GetConfig", M["Empty"](), "Config")
    handler = os.environ.get("ECHO_HANDLER", "echo")
    registered = call("/yggdrasil.Dispatcher/Register", M["RegistrationRequest"](handler=handler, pid=os.getpid(), features={"version": "1"}), "RegistrationResponse")
    if not registered.registered:
        sys.exit(f"the daemon has another worker for {handler}")
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    server.add_generic_rpc_handlers((Worker(lambda data: call("/yggdrasil.Dispatcher/Send", data, "Response")),))
    server.add_insecure_port(target(registered.address))
    server.start()
    print(f"serving {handler} of {config.client_id} at {registered.address}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
