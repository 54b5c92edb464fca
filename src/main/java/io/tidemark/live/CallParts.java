package io.tidemark.live;

import io.tidemark.export.PipelinedImage;
import io.tidemark.replication.live.Bytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** A client's request in the parts that the copy takes: it has ended once all have. Guarded by the copy's lock. */
final class CallParts implements Requests.Waiting {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final PipelinedImage.Call call;
    private final Optional<Runnable> told;
    private int left;
    private Optional<String> refusal = Optional.empty();
    private final Optional<ByteBuffer> whole;

    /**
     * @param told run once others have been answered too
     * @param whole of a read in several parts: where they are put together
     */
    CallParts(PipelinedImage.Call call, int count, Runnable told, Optional<ByteBuffer> whole) {
        this.whole = whole;
        this.call = call;
        this.told = Optional.of(told);
        left = count;
    }

    static ByteBuffer buffer(Bytes bytes) {
        return bytes.data().orElseGet(() -> ByteBuffer.allocate(bytes.length()));
    }

    /** One part of a read: where in the whole it belongs. */
    Requests.Waiting of(int from, int length) {
        return new Requests.Waiting() {
            @Override
            public void answered(Optional<Bytes> data) {
                var all = whole.orElseThrow();
                all.slice(from, length).put(buffer(data.orElseThrow()));
                end(all);
            }

            @Override
            public void refused(String why) {
                CallParts.this.refused(why);
            }

            @Override
            public Optional<Runnable> afterwards() {
                return told;
            }
        };
    }

    @Override
    public void answered(Optional<Bytes> data) {
        end(data.map(CallParts::buffer).orElse(NOTHING));
    }

    @Override
    public void refused(String why) {
        refusal = Optional.of(why);
        end(NOTHING);
    }

    private void end(ByteBuffer data) {
        if (--left > 0) {
            return;
        }
        if (refusal.isPresent()) {
            call.failed(new IOException(refusal.get()));
        } else {
            call.done(data);
        }
    }

    @Override
    public Optional<Runnable> afterwards() {
        return told;
    }
}
