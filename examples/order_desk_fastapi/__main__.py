"""Run the order desk: `python -m examples.order_desk_fastapi`."""

import os

import uvicorn

from examples.order_desk_fastapi.desk import web

if __name__ == "__main__":
    uvicorn.run(web, port=int(os.environ.get("PORT", "8000")))
