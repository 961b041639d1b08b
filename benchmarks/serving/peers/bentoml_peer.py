"""BentoML with one worker, batching what waits."""

import os

import bentoml
import numpy as np
import onnxruntime


@bentoml.service(workers=1, traffic={"timeout": 60})
class Race:
    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], options)

    @bentoml.api(batchable=True, max_batch_size=2048, max_latency_ms=1000)
    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.session.run(None, {"encoded": rows.astype(np.float32)})[0]
