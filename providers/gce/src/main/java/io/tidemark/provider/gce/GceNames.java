package io.tidemark.provider.gce;

import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * What things are called at Google. Names are made of what they stand for, so that whoever asks twice asks for one;
 * labels say whose they are. A label's key and value have at most 63 characters of {@code [a-z0-9_-]}, and a resource
 * at most 64 labels ("Requirements for labels"); a name is one of RFC 1035 of at most 63.
 */
final class GceNames {
    static final String PROVIDER = "gce";

    /** Which installation made it; of two in one project neither touches what is the other's. */
    static final String INSTALLATION = "tidemark_installation";

    static final String RECOVERY_POINT = "tidemark_recovery_point";
    /** The volume's name, as after the colon of its id, written in {@link #encoded}; further parts are numbered. */
    static final String VOLUME = "tidemark_volume";
    /** Where the disk is: snapshots are the project's, and several providers of one project share them by this. */
    static final String LOCATION = "tidemark_location";
    /** All names that we give begin so: rights are bound to it. */
    static final String PREFIX = "tm-";
    /** On temporary disks by which a helper reads: which provider's, on which helper. */
    static final String READING = "tidemark_reading";

    /** Of a clone: the snapshot it was made from, by its name at Google. */
    static final String ORIGIN = "tidemark_origin";

    private static final String HOLD = "tidemark_hold_";
    /** A resource has 64 labels; ours beside the holds take 11 at most. */
    static final int HOLDS_MAXIMUM = 40;

    private static final int VALUE_CHARACTERS_MAXIMUM = 63;
    /** 128 bits: two of all that were ever made are never alike. */
    private static final int HASH_CHARACTERS = 32;

    private static final int HOLD_HASH_CHARACTERS = 16;
    /** 128 characters of a volume's name, each written as three at most. */
    private static final int PARTS_MAXIMUM = 7;

    private static final Pattern DISK = Pattern.compile("([a-z0-9-]+)/([a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)");

    private GceNames() {}

    /** A disk by its place and Google's own name: {@code gce:europe-west3-a/orders}. */
    record DiskName(GceLocation location, String name) {}

    /** Empty where the name is none of Google's but one that we gave. */
    static Optional<DiskName> diskOf(VolumeId volume) {
        var matched = DISK.matcher(volume.name());
        return matched.matches()
                ? GceLocation.ofScope(matched.group(1)).map(place -> new DiskName(place, matched.group(2)))
                : Optional.empty();
    }

    /** What the disk of a volume with a name of ours is called. */
    static String diskOf(String installation, VolumeId volume) {
        return PREFIX + hash("disk", installation, volume.name());
    }

    static String snapshotOf(String installation, SnapshotId snapshot) {
        return PREFIX
                + hash(
                        "snapshot",
                        installation,
                        snapshot.volume().name(),
                        snapshot.recoveryPoint().value());
    }

    /** Of the temporary disk by which a helper reads a snapshot, whose name another one may have had before. */
    static String readingDiskOf(String installation, String provider, HelperInstance helper, CloudSnapshot snapshot) {
        return PREFIX
                + hash(
                        "reading",
                        installation,
                        provider,
                        helper.toString(),
                        snapshot.name(),
                        snapshot.createdAt().toString());
    }

    /** What the label of a helper's temporary disks says; two providers of one host delete none of each other's. */
    static String readingOf(String provider, HelperInstance helper) {
        return hash("helper", provider, helper.toString());
    }

    /** Of a recovery point's group of instant snapshots. */
    static String groupOf(String installation, RecoveryPointId recoveryPoint) {
        return PREFIX + hash("group", installation, recoveryPoint.value());
    }

    static Map<String, String> labelsOf(String installation, SnapshotId snapshot, GceLocation location) {
        var labels = new LinkedHashMap<String, String>();
        labels.put(INSTALLATION, installation);
        labels.put(LOCATION, location.name());
        labels.put(RECOVERY_POINT, snapshot.recoveryPoint().value());
        putVolume(labels, snapshot.volume());
        return labels;
    }

    static void putVolume(Map<String, String> labels, VolumeId volume) {
        String text = encoded(volume.name());
        for (int part = 0; part * VALUE_CHARACTERS_MAXIMUM < text.length(); part++) {
            int end = Math.min(text.length(), (part + 1) * VALUE_CHARACTERS_MAXIMUM);
            labels.put(volumeKey(part), text.substring(part * VALUE_CHARACTERS_MAXIMUM, end));
        }
    }

    private static String volumeKey(int part) {
        return part == 0 ? VOLUME : VOLUME + "_" + part;
    }

    /** The volume's name in the labels; empty where there is none, or none that we wrote. */
    static Optional<String> volumeIn(Map<String, String> labels) {
        var text = new StringBuilder();
        for (int part = 0; part < PARTS_MAXIMUM && labels.containsKey(volumeKey(part)); part++) {
            text.append(labels.get(volumeKey(part)));
        }
        return text.isEmpty() ? Optional.empty() : decoded(text.toString());
    }

    /** Small letters, digits and hyphens as they are; others as an underscore and two digits, base 16. */
    static String encoded(String name) {
        var text = new StringBuilder();
        for (int index = 0; index < name.length(); index++) {
            char each = name.charAt(index);
            if ((each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') || each == '-') {
                text.append(each);
            } else {
                text.append('_').append(HexFormat.of().toHexDigits((byte) each));
            }
        }
        return text.toString();
    }

    static Optional<String> decoded(String text) {
        var name = new StringBuilder();
        int at = 0;
        while (at < text.length()) {
            char each = text.charAt(at++);
            if (each == '_') {
                if (at + 2 > text.length() || !text.substring(at, at + 2).matches("[0-7][0-9a-f]")) {
                    return Optional.empty();
                }
                name.append((char) HexFormat.fromHexDigits(text, at, at + 2));
                at += 2;
            } else {
                name.append(each);
            }
        }
        return Optional.of(name.toString());
    }

    /**
     * A hold's key tells owners apart; its value is the owner, whose 64th character, where it has one, ends the key.
     */
    static Map.Entry<String, String> holdOf(HoldOwner owner) {
        String value = owner.value();
        String key = HOLD + hash("hold", value).substring(0, HOLD_HASH_CHARACTERS);
        return value.length() <= VALUE_CHARACTERS_MAXIMUM
                ? Map.entry(key, value)
                : Map.entry(
                        key + "_" + value.substring(VALUE_CHARACTERS_MAXIMUM),
                        value.substring(0, VALUE_CHARACTERS_MAXIMUM));
    }

    /** One that somebody has spoilt still holds. */
    static Set<HoldOwner> holdsIn(Map<String, String> labels) {
        var owners = new TreeSet<HoldOwner>(Comparator.comparing(HoldOwner::value));
        labels.forEach((key, value) -> {
            if (key.startsWith(HOLD)) {
                String end = key.substring(Math.min(key.length(), HOLD.length() + HOLD_HASH_CHARACTERS));
                String owner = value + end.replaceFirst("^_", "");
                owners.add(new HoldOwner(owner.matches("[a-z0-9-]{1,64}") ? owner : "unknown"));
            }
        });
        return owners;
    }

    private static String hash(String... words) {
        try {
            // No word holds a line's end, so that two lists of words are never one text.
            byte[] text = String.join("\n", words).getBytes(StandardCharsets.UTF_8);
            var digest = MessageDigest.getInstance("SHA-256").digest(text);
            return HexFormat.of().formatHex(digest).substring(0, HASH_CHARACTERS);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
