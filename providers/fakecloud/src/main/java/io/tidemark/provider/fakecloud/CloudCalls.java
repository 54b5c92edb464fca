package io.tidemark.provider.fakecloud;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/** What is counted, checked and scripted over all endpoints of one cloud. Safe for several threads. */
public final class CloudCalls {
    private static final int VIOLATIONS_MAXIMUM = 1000;

    private final AtomicLong count = new AtomicLong();
    private final Map<String, CallCount> counts = new ConcurrentHashMap<>();
    private final List<String> violations = new ArrayList<>();
    private volatile FaultScript script = FaultScript.none();
    private volatile LongConsumer hook = call -> {};

    /**
     * A call that a fault may befall.
     *
     * @param effect takes effect and answers
     * @param check looks at what is answered, where anything is
     * @param throttled how this service says that there are too many requests
     * @param broken how it says that it has failed
     */
    public record Played(
            String operation,
            CallKind kind,
            Effect effect,
            Consumer<HttpAnswer> check,
            Supplier<HttpAnswer> throttled,
            Supplier<HttpAnswer> broken) {}

    /** Takes effect and answers; what befalls what is made ({@link Fault#STUCK} and such) is its own to heed. */
    public interface Effect {
        HttpAnswer answer(Fault fault, FaultScript script);
    }

    /** A defect of the fake, or of a script, must fail the test and not look like a fault of the cloud. */
    public Function<HttpRequest, HttpAnswer> confessing(Function<HttpRequest, HttpAnswer> handler) {
        return request -> {
            try {
                return handler.apply(request);
            } catch (RuntimeException defect) {
                violated(request.method + " " + request.path, "fake", List.of("defect: " + defect));
                throw defect;
            }
        };
    }

    /** Lets the script decide what becomes of the call, runs the hook before the answer, checks what is said. */
    public HttpAnswer played(long number, Played call) {
        FaultScript faults = script;
        Fault fault = faults.next(call.operation(), call.kind());
        HttpAnswer answer = switch (fault) {
            case THROTTLE -> call.throttled().get();
            case ERROR_BEFORE -> call.broken().get();
            case CUT_BEFORE -> HttpAnswer.CUT;
            default -> call.effect().answer(fault, faults);
        };
        try {
            hook.accept(number);
        } catch (RuntimeException killed) {
            return HttpAnswer.CUT;
        }
        HttpAnswer said = switch (fault) {
            case ERROR_AFTER -> call.broken().get();
            case CUT_AFTER -> HttpAnswer.CUT;
            default -> answer;
        };
        if (!said.cut()) {
            call.check().accept(said);
        }
        return said;
    }

    public void faults(FaultScript other) {
        script = other;
    }

    public void beforeAnswer(LongConsumer other) {
        hook = other;
    }

    /** The number of a call that has come, from 1 on. */
    public long next() {
        return count.incrementAndGet();
    }

    public long current() {
        return count.get();
    }

    /** Counts a call as seen, or as judged by the model. */
    public void count(String operation, CallCount more) {
        counts.merge(operation, more, CallCount::plus);
    }

    /** @param side request, answer, or fake: whose fault it is */
    public void violated(String operation, String side, List<String> findings) {
        synchronized (violations) {
            for (String finding : findings) {
                if (violations.size() < VIOLATIONS_MAXIMUM) {
                    violations.add("%s %s: %s".formatted(operation, side, finding));
                }
            }
        }
    }

    public List<String> violations() {
        synchronized (violations) {
            return List.copyOf(violations);
        }
    }

    public Map<String, CallCount> counts() {
        return new TreeMap<>(counts);
    }
}
