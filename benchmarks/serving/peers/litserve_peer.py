"""LitServe with one worker, batching what waits."""

import os
import sys

import litserve
import numpy as np
import onnxruntime


class Race(litserve.LitAPI):
    def setup(self, device):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], options)

    def decode_request(self, request):
        return np.array(request["rows"], dtype=np.float32)

    def batch(self, inputs):
        return inputs

    def predict(self, inputs):
        ends = np.cumsum([len(one) for one in inputs])[:-1]
        found = self.session.run(None, {"encoded": np.concatenate(inputs)})[0]
        return np.split(found, ends)

    def unbatch(self, output):
        return output

    def encode_response(self, output):
        return {"probability": output.tolist()}


if __name__ == "__main__":
    os.environ["MODEL"] = sys.argv[1]
    api = Race(max_batch_size=32, batch_timeout=0.001)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(port=int(sys.argv[2]), log_level="error", generate_client_file=False)
