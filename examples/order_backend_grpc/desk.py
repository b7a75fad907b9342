"""Run the order desk of FastAPI with a gRPC port for the warehouse, on this machine only."""

import os

import uvicorn

from examples.order_desk_fastapi.desk import app, web
from rhtmx_server import Config

if __name__ == "__main__":
    app.configure(Config(grpc_port=int(os.environ.get("GRPC_PORT", "50051"))))
    uvicorn.run(web, port=int(os.environ.get("PORT", "8000")))
