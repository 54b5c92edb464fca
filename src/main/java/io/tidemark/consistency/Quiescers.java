package io.tidemark.consistency;

import io.tidemark.domain.QuiescerSpec;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/** The kinds of application this host can freeze. */
public final class Quiescers {
    private final Map<String, QuiescerFactory> byKind = new TreeMap<>();

    public Quiescers(Collection<QuiescerFactory> factories) {
        for (var factory : factories) {
            if (byKind.put(factory.kind(), factory) != null) {
                throw new IllegalArgumentException("quiescer kind %s is given twice".formatted(factory.kind()));
            }
        }
    }

    /** @throws ConsistencyException UnknownQuiescer, BadQuiescerSetting */
    public Quiescer create(QuiescerSpec spec) throws ConsistencyException {
        return factory(spec.kind()).create(spec);
    }

    /** @throws ConsistencyException UnknownQuiescer */
    public QuiescerFactory factory(String kind) throws ConsistencyException {
        var factory = byKind.get(kind);
        if (factory == null) {
            throw new ConsistencyException(
                    new ConsistencyError.UnknownQuiescer(kind, String.join(", ", byKind.keySet())));
        }
        return factory;
    }

    /** As {@link QuiescerFactory#sweep} for every kind. */
    public void sweep() {
        byKind.values().forEach(QuiescerFactory::sweep);
    }

    public Collection<String> kinds() {
        return byKind.keySet();
    }

    /**
     * As {@link QuiescerFactory#explain}.
     *
     * @throws ConsistencyException UnknownQuiescer, BadQuiescerSetting
     */
    public Explanation explain(QuiescerSpec spec) throws ConsistencyException {
        return factory(spec.kind()).explain(spec);
    }
}
