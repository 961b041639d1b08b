"""FastAPI and onnxruntime by hand, in as few lines as one would write."""

import sys

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options)
Row = type("Row", (BaseModel,), {"__annotations__": {f"x{i:02d}": float for i in range(20)}})
app = FastAPI()


@app.post("/predict")
def predict(row: Row):
    matrix = np.array([list(row.model_dump().values())], dtype=np.float32)
    return {"probability": float(session.run(None, {"encoded": matrix})[0][0])}


@app.post("/rows")
async def rows(request: Request):
    matrix = np.frombuffer(await request.body(), np.float32).reshape(-1, 20)
    return {"probability": session.run(None, {"encoded": matrix})[0].tolist()}


uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)
