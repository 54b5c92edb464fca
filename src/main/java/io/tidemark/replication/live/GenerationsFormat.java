package io.tidemark.replication.live;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** Generations and names of copies in bytes, as metadata and messages have them; docs/formats/live-metadata.md. */
final class GenerationsFormat {
    private GenerationsFormat() {}

    static void put(ByteBuffer into, Generations generations) {
        put(into, generations.current().stream().toList());
        put(into, generations.history());
        into.put((byte) generations.bases().size());
        generations.bases().forEach((id, bases) -> {
            put(into, id);
            put(into, bases);
        });
    }

    static void put(ByteBuffer into, CopyId id) {
        var bytes = id.value().getBytes(StandardCharsets.US_ASCII);
        into.put((byte) bytes.length).put(bytes);
    }

    private static void put(ByteBuffer into, List<Generation> generations) {
        into.put((byte) generations.size());
        generations.forEach(each -> into.putLong(each.value()));
    }

    /**
     * @throws java.nio.BufferUnderflowException where they end too soon
     * @throws NegativeArraySizeException of a name
     * @throws IllegalArgumentException where they are none
     */
    static Generations read(ByteBuffer from) {
        var current = list(from);
        var history = list(from);
        var bases = new TreeMap<CopyId, List<Generation>>();
        for (int rest = from.get(); rest > 0; rest--) {
            bases.put(id(from), list(from));
        }
        return new Generations(current.stream().findFirst(), bases, history);
    }

    static CopyId id(ByteBuffer from) {
        var bytes = new byte[from.get()];
        from.get(bytes);
        return new CopyId(new String(bytes, StandardCharsets.US_ASCII));
    }

    private static List<Generation> list(ByteBuffer from) {
        var generations = new ArrayList<Generation>();
        for (int rest = from.get(); rest > 0; rest--) {
            generations.add(new Generation(from.getLong()));
        }
        return generations;
    }
}
