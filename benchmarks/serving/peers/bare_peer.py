"""Starlette, orjson and onnxruntime, with nothing between: no checks, no metrics."""

import sys

import numpy as np
import onnxruntime
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options)


async def predict(request):
    row = orjson.loads(await request.body())
    matrix = np.array([list(row.values())], dtype=np.float32)
    answer = {"probability": float(session.run(None, {"encoded": matrix})[0][0])}
    return Response(orjson.dumps(answer), media_type="application/json")


async def rows(request):
    matrix = np.frombuffer(await request.body(), np.float32).reshape(-1, 20)
    found = session.run(None, {"encoded": matrix})[0]
    return Response(found.tobytes(), media_type="application/octet-stream")


routes = [Route("/predict", predict, methods=["POST"]), Route("/rows", rows, methods=["POST"])]
uvicorn.run(Starlette(routes=routes), port=int(sys.argv[2]), log_level="error", access_log=False)
