package io.tidemark.provider.conformance;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.StorageProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A provider that remembers what it was asked, in order, and what came of it. */
public final class RecordingProvider extends InterceptedProvider {
    /** Calls remembered at most; older ones are dropped, so that a long run does not fill the heap. */
    public static final int CALLS_MAXIMUM = 100_000;

    /**
     * @param subject the text of what the call was about: a volume, a snapshot, a request
     * @param failure empty when the call succeeded
     */
    public record Call(ProviderCall call, String subject, Optional<ProviderError> failure) {}

    private final List<Call> calls = new ArrayList<>();

    public RecordingProvider(StorageProvider inner) {
        super(inner);
    }

    public synchronized List<Call> calls() {
        return List.copyOf(calls);
    }

    /** Only the calls of one kind. */
    public synchronized List<Call> calls(ProviderCall kind) {
        return calls.stream().filter(call -> call.call() == kind).toList();
    }

    public synchronized void forget() {
        calls.clear();
    }

    @Override
    <T> T intercept(ProviderCall call, Object subject, Action<T> action) throws ProviderException {
        try {
            var answer = action.run();
            remember(new Call(call, subject.toString(), Optional.empty()));
            return answer;
        } catch (ProviderException e) {
            remember(new Call(call, subject.toString(), Optional.of(e.error())));
            throw e;
        }
    }

    private synchronized void remember(Call call) {
        if (calls.size() == CALLS_MAXIMUM) {
            calls.removeFirst();
        }
        calls.add(call);
    }
}
