package io.tidemark.provider.azure;

import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * What things are called at Azure, which minds no case: here all is in lower case. A snapshot's name follows from what
 * it is of, so that asking for it twice makes one.
 */
final class AzureNames {
    static final String PROVIDER = "azure";

    /** Which installation made it; of two in one subscription neither touches what is the other's. */
    static final String INSTALLATION = "tidemark:installation";

    static final String RECOVERY_POINT = "tidemark:recovery-point";
    /** The volume's name, as after the colon of its id; of a snapshot, that of its volume. */
    static final String VOLUME = "tidemark:volume";
    /** Of a clone: the snapshot it was made from. */
    static final String ORIGIN = "tidemark:origin";

    /** Of a copy: the key that it was asked for with. */
    static final String COPY_KEY = "tidemark:copy-key";

    /** Of a disk that was uploaded to, and of its snapshots: its bytes, which Azure may round up. */
    static final String SIZE = "tidemark:size";

    static final String HOLD = "tidemark:hold:";
    /**
     * A resource has 50 ("Use tags to organize your Azure resources", limits); ours beside the holds take 5, and one
     * for each region that it is copied to.
     */
    static final int HOLDS_MAXIMUM = 40;

    private static final int DIGEST_CHARACTERS = 16;
    private static final Pattern TOLD_NAME = Pattern.compile("[a-z0-9][a-z0-9._-]*");
    /** A disk whose own name cannot stand in an id of ours. */
    private static final String UNTOLD = "disk-";

    private AzureNames() {}

    static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    /** {@code /subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/TYPE/NAME}, in lower case. */
    static String armId(AzureConfig config, String group, String type, String name) {
        return lower("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/%s/%s"
                .formatted(config.subscription(), group, type, name));
    }

    /** The resource group in an id of Azure's. */
    static String groupOf(String armId) {
        return armId.split("/", -1)[4];
    }

    static String nameOf(String armId) {
        return armId.substring(armId.lastIndexOf('/') + 1);
    }

    /** What a disk is called here: its name, of another group than the first {@code GROUP/NAME}. */
    static VolumeId volumeOf(AzureConfig config, String group, String name) {
        var inGroup = lower(group);
        var own = lower(name);
        var told = inGroup.equals(config.resourceGroup()) ? own : inGroup + "/" + own;
        boolean isTold =
                TOLD_NAME.matcher(own).matches() && TOLD_NAME.matcher(inGroup).matches();
        try {
            return VolumeId.of(config.name(), isTold ? told : UNTOLD + digest(inGroup + "/" + own));
        } catch (IllegalArgumentException e) {
            return VolumeId.of(config.name(), UNTOLD + digest(inGroup + "/" + own));
        }
    }

    /** Where the disk of that id lies, in lower case; what it is called there follows the slash. */
    record Place(String group, String name) {}

    static Place placeOf(AzureConfig config, VolumeId volume) {
        var name = lower(volume.name());
        int slash = name.indexOf('/');
        return slash < 0
                ? new Place(config.resourceGroup(), name)
                : new Place(name.substring(0, slash), name.substring(slash + 1));
    }

    /** @throws ProviderException Conflict where no new disk can be called so */
    static void refuseUntold(AzureConfig config, VolumeId volume) throws ProviderException {
        boolean isTold = isTold(volume)
                && volume.name().equals(lower(volume.name()))
                && volume.name().matches("([a-z0-9][a-z0-9._-]{0,89}/)?[a-z0-9][a-z0-9._-]{0,79}");
        if (!isTold || !config.sees(placeOf(config, volume).group())) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(),
                    "a disk is called NAME or GROUP/NAME, in lower case, NAME of at most 80 characters, in a group of"
                            + " the settings"));
        }
    }

    /** Whether the id says where the disk is; else the lists have to be looked through. */
    static boolean isTold(VolumeId volume) {
        return !volume.name().matches(UNTOLD + "[0-9a-f]{16}");
    }

    /**
     * At most 69 of the 80 characters that a name may have; of another region another, for a group may be of several.
     */
    static String snapshotName(AzureConfig config, SnapshotId snapshot) {
        var text = "%s %s %s %s"
                .formatted(
                        config.installation(),
                        config.location(),
                        snapshot.volume().name(),
                        snapshot.recoveryPoint());
        return "tidemark-%s-%s".formatted(snapshot.recoveryPoint(), digest(text));
    }

    /** Of a copy into the region: a disk of the same name there has snapshots of its own. */
    static String copyName(AzureConfig config, SnapshotId copy) {
        var text = "%s %s %s copied to %s"
                .formatted(config.installation(), copy.volume().name(), copy.recoveryPoint(), config.location());
        return "tidemark-%s-%s".formatted(copy.recoveryPoint(), digest(text));
    }

    static String digest(String text) {
        try {
            var whole = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(whole).substring(0, DIGEST_CHARACTERS);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    static Map<String, String> tagsOf(AzureConfig config, SnapshotId snapshot) {
        var tags = new LinkedHashMap<String, String>();
        tags.put(INSTALLATION, config.installation());
        tags.put(RECOVERY_POINT, snapshot.recoveryPoint().value());
        tags.put(VOLUME, snapshot.volume().name());
        return tags;
    }

    static Set<HoldOwner> holdsOf(Map<String, String> tags) {
        var owners = new TreeSet<HoldOwner>(Comparator.comparing(HoldOwner::value));
        for (var key : tags.keySet()) {
            if (key.startsWith(HOLD)) {
                owners.add(new HoldOwner(key.substring(HOLD.length())));
            }
        }
        return owners;
    }
}
