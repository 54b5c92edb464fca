package io.tidemark.provider.ebs;

import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * All that is known of a chain on this host, in one file that is replaced whole: a cut is the replacement that seals the
 * overlay.
 *
 * @param name of the volume, after the colon
 * @param life tells two volumes apart that had the name one after the other
 * @param origin the snapshot that it was cloned from
 * @param base the snapshot at Amazon on which the lowest layer lies, by Amazon's name; none: zeros
 * @param baseNumber of the layer that the base was made of; 0 where it is the origin's or none
 * @param overlay number of the layer that is written to; the highest
 * @param sealed layers below it that are not at Amazon yet, ascending
 * @param abandoned layers that were being uploaded when their snapshot was deleted; what was made of them is to be deleted
 * @param left snapshots by Amazon's names that were deleted while they were bases: to be deleted once they are nobody's
 */
record ChainRecord(
        String name,
        long sizeBytes,
        String life,
        Optional<SnapshotId> origin,
        Optional<String> base,
        int baseNumber,
        int overlay,
        List<Sealed> sealed,
        List<Sealed> abandoned,
        List<String> left) {
    private static final String FORM = "tidemark-chain 2";
    private static final String NONE = "-";
    private static final int SEALED_WORDS = 11;

    ChainRecord {
        sealed = List.copyOf(sealed);
        abandoned = List.copyOf(abandoned);
        left = List.copyOf(left);
    }

    /** How many blocks a sealed layer has, and the SHA-256 of their list, in hexadecimal. */
    record Content(int blocks, String digest) {}

    /**
     * A layer that no longer changes.
     *
     * @param content by which files that are not the layer's any more are known
     * @param point none: its snapshot was deleted, and its blocks are part of the next one's
     * @param attempt to upload it, the last one, from 1 on; 0: there was none
     * @param parent that the attempt was begun with
     * @param cloudId what StartSnapshot answered; none: not heard yet
     * @param confirmed blocks below this index were uploaded by the attempt; -1: the next one is not begun
     * @param completing all are, and Amazon was perhaps told so
     */
    record Sealed(
            int number,
            Content content,
            Optional<RecoveryPointId> point,
            Instant cutAt,
            Set<HoldOwner> holds,
            int attempt,
            Optional<String> parent,
            Optional<String> cloudId,
            int confirmed,
            boolean completing) {
        Sealed {
            holds = Set.copyOf(holds);
        }

        private Sealed(
                int number,
                Content content,
                Optional<RecoveryPointId> point,
                Instant cutAt,
                Set<HoldOwner> holds,
                int attempt) {
            this(number, content, point, cutAt, holds, attempt, Optional.empty(), Optional.empty(), -1, false);
        }

        Sealed nameless() {
            return new Sealed(number, content, Optional.empty(), cutAt, Set.of(), 0);
        }

        Sealed unbegun() {
            return new Sealed(number, content, point, cutAt, holds, attempt);
        }

        boolean isBegun() {
            return confirmed >= 0;
        }

        Sealed held(Set<HoldOwner> owners) {
            return new Sealed(number, content, point, cutAt, owners, attempt, parent, cloudId, confirmed, completing);
        }

        Sealed begun(Optional<String> on) {
            return new Sealed(number, content, point, cutAt, holds, attempt + 1, on, Optional.empty(), 0, false);
        }

        Sealed named(String id) {
            return new Sealed(
                    number, content, point, cutAt, holds, attempt, parent, Optional.of(id), confirmed, completing);
        }

        Sealed confirmed(int index) {
            return new Sealed(number, content, point, cutAt, holds, attempt, parent, cloudId, index, completing);
        }

        Sealed asCompleting() {
            return new Sealed(number, content, point, cutAt, holds, attempt, parent, cloudId, confirmed, true);
        }

        private String toText() {
            var owners = new TreeSet<String>();
            holds.forEach(each -> owners.add(each.value()));
            return String.join(
                    " ",
                    String.valueOf(number),
                    point.map(RecoveryPointId::value).orElse(NONE),
                    cutAt.toString(),
                    owners.isEmpty() ? NONE : String.join(",", owners),
                    String.valueOf(attempt),
                    parent.orElse(NONE),
                    cloudId.orElse(NONE),
                    String.valueOf(confirmed),
                    String.valueOf(completing),
                    String.valueOf(content.blocks()),
                    content.digest());
        }

        private static Sealed parse(String text) {
            var words = text.split(" ", -1);
            if (words.length != SEALED_WORDS) {
                throw new IllegalArgumentException("a layer has %d words: %s".formatted(SEALED_WORDS, text));
            }
            var holds = new java.util.HashSet<HoldOwner>();
            if (!words[3].equals(NONE)) {
                for (var owner : words[3].split(",", -1)) {
                    holds.add(new HoldOwner(owner));
                }
            }
            return new Sealed(
                    Integer.parseInt(words[0]),
                    new Content(Integer.parseInt(words[9]), words[10]),
                    word(words[1]).map(RecoveryPointId::new),
                    Instant.parse(words[2]),
                    holds,
                    Integer.parseInt(words[4]),
                    word(words[5]),
                    word(words[6]),
                    Integer.parseInt(words[7]),
                    Boolean.parseBoolean(words[8]));
        }
    }

    static ChainRecord of(String name, long sizeBytes, String life) {
        return new ChainRecord(
                name, sizeBytes, life, Optional.empty(), Optional.empty(), 0, 1, List.of(), List.of(), List.of());
    }

    ChainRecord on(SnapshotId clonedFrom, String cloudId) {
        return new ChainRecord(
                name,
                sizeBytes,
                life,
                Optional.of(clonedFrom),
                Optional.of(cloudId),
                baseNumber,
                overlay,
                sealed,
                abandoned,
                left);
    }

    Optional<Sealed> sealedOf(RecoveryPointId point) {
        return sealed.stream()
                .filter(each -> each.point().equals(Optional.of(point)))
                .findFirst();
    }

    /** The layer as it is now, in the same attempt; none: its snapshot is deleted, or another attempt is made. */
    Optional<Sealed> current(Sealed layer) {
        return sealed.stream()
                .filter(each -> each.number() == layer.number()
                        && each.attempt() == layer.attempt()
                        && each.isBegun() == layer.isBegun()
                        && each.point().isPresent())
                .findFirst();
    }

    /** The next that is to be uploaded: the lowest with a name. */
    Optional<Sealed> due() {
        return sealed.stream().filter(each -> each.point().isPresent()).findFirst();
    }

    ChainRecord cut(RecoveryPointId point, Instant at, Content content) {
        var layers = new ArrayList<>(sealed);
        layers.add(new Sealed(overlay, content, Optional.of(point), at, Set.of(), 0));
        return with(layers, abandoned, left, overlay + 1);
    }

    /** With one of its layers replaced, by number. */
    ChainRecord replaced(Sealed layer) {
        return with(
                sealed.stream()
                        .map(each -> each.number() == layer.number() ? layer : each)
                        .toList(),
                abandoned,
                left,
                overlay);
    }

    /** Its snapshot is deleted: its blocks stay, as part of the next; what was begun of it is left to be deleted. */
    ChainRecord dropped(Sealed layer) {
        var gone = new ArrayList<>(abandoned);
        boolean known =
                gone.stream().anyMatch(each -> each.number() == layer.number() && each.attempt() == layer.attempt());
        if (layer.isBegun() && !known) {
            gone.add(layer);
        }
        return replaced(layer.nameless()).with(gone);
    }

    /** One more attempt; what the last one made is left to be deleted. */
    ChainRecord failed(Sealed layer) {
        var gone = new ArrayList<>(abandoned);
        gone.add(layer);
        return replaced(layer.unbegun()).with(gone);
    }

    private ChainRecord with(List<Sealed> nowAbandoned) {
        return with(sealed, nowAbandoned, left, overlay);
    }

    ChainRecord withoutAbandoned(Sealed layer) {
        return with(
                sealed,
                abandoned.stream()
                        .filter(each -> each.number() != layer.number() || each.attempt() != layer.attempt())
                        .toList(),
                left,
                overlay);
    }

    ChainRecord withLeft(List<String> more) {
        var all = new ArrayList<>(left);
        more.stream().filter(each -> !all.contains(each)).forEach(all::add);
        return with(sealed, abandoned, all, overlay);
    }

    ChainRecord withoutLeft(String cloudId) {
        return with(
                sealed,
                abandoned,
                left.stream().filter(each -> !each.equals(cloudId)).toList(),
                overlay);
    }

    /** The layer is at Amazon: it is the base, with all below. */
    ChainRecord completed(Sealed layer, String cloudId) {
        return new ChainRecord(
                name,
                sizeBytes,
                life,
                origin,
                Optional.of(cloudId),
                layer.number(),
                overlay,
                sealed.stream().filter(each -> each.number() > layer.number()).toList(),
                abandoned,
                left);
    }

    private ChainRecord with(List<Sealed> layers, List<Sealed> gone, List<String> old, int top) {
        return new ChainRecord(name, sizeBytes, life, origin, base, baseNumber, top, layers, gone, old);
    }

    byte[] toBytes() {
        var lines = new ArrayList<String>();
        lines.add(FORM);
        lines.add("name " + name);
        lines.add("size " + sizeBytes);
        lines.add("life " + life);
        lines.add("origin " + origin.map(SnapshotId::toString).orElse(NONE));
        lines.add("base " + base.orElse(NONE));
        lines.add("baseNumber " + baseNumber);
        lines.add("overlay " + overlay);
        sealed.forEach(each -> lines.add("sealed " + each.toText()));
        abandoned.forEach(each -> lines.add("abandoned " + each.toText()));
        left.forEach(each -> lines.add("left " + each));
        var text = String.join("\n", lines) + "\n";
        return (text + "sha256 " + digest(text) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private static String digest(String text) {
        return HexFormat.of().formatHex(DirectCalls.digestOf(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8))));
    }

    /** @throws ProviderException Corrupt */
    static ChainRecord parse(String file, byte[] bytes) throws ProviderException {
        var whole = new String(bytes, StandardCharsets.UTF_8);
        int end = whole.lastIndexOf("sha256 ");
        if (end < 0 || !whole.substring(end).equals("sha256 " + digest(whole.substring(0, end)) + "\n")) {
            throw new ProviderException(new ProviderError.Corrupt(file, "its checksum is another one"));
        }
        try {
            return parse(Arrays.asList(whole.substring(0, end).split("\n", -1)));
        } catch (RuntimeException e) {
            throw new ProviderException(new ProviderError.Corrupt(file, String.valueOf(e.getMessage())), e);
        }
    }

    private static ChainRecord parse(List<String> lines) {
        if (!lines.getFirst().equals(FORM)) {
            throw new IllegalArgumentException("it is %s, not %s".formatted(lines.getFirst(), FORM));
        }
        Map<String, List<String>> fields = new LinkedHashMap<>();
        for (var line : lines.subList(1, lines.size())) {
            int space = line.indexOf(' ');
            if (space > 0) {
                fields.computeIfAbsent(line.substring(0, space), key -> new ArrayList<>())
                        .add(line.substring(space + 1));
            }
        }
        return new ChainRecord(
                one(fields, "name"),
                Long.parseLong(one(fields, "size")),
                one(fields, "life"),
                word(one(fields, "origin")).map(SnapshotId::parse),
                word(one(fields, "base")),
                Integer.parseInt(one(fields, "baseNumber")),
                Integer.parseInt(one(fields, "overlay")),
                fields.getOrDefault("sealed", List.of()).stream()
                        .map(Sealed::parse)
                        .toList(),
                fields.getOrDefault("abandoned", List.of()).stream()
                        .map(Sealed::parse)
                        .toList(),
                fields.getOrDefault("left", List.of()));
    }

    private static String one(Map<String, List<String>> fields, String key) {
        var values = fields.get(key);
        if (values == null || values.size() != 1) {
            throw new IllegalArgumentException("it has not one line " + key);
        }
        return values.getFirst();
    }

    private static Optional<String> word(String text) {
        return text.equals(NONE) ? Optional.empty() : Optional.of(text);
    }
}
