package io.tidemark.provider.ebs;

import io.tidemark.spi.FastRestores;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Fast snapshot restores. Rules: EBS User Guide, "Amazon EBS fast snapshot restore"; API reference. */
final class EbsFastRestores implements FastRestores {
    /** More than any region has. */
    private static final int ZONES_MAXIMUM = 10;

    private static final long SIZE_BYTES_MAXIMUM = 16L << 40;
    private static final Pattern ZONE_FORM = Pattern.compile("[a-z0-9-]{4,60}");
    /** Of a zone in us-east-1 ("How AWS Pricing Works", Amazon EBS, read 2026-11-27); other regions differ. */
    private static final double DOLLARS_AN_HOUR = 0.75;

    private final ProtectionCalls calls;
    private final UploadedSnapshots snapshots;
    private final String region;

    EbsFastRestores(ProtectionCalls calls, UploadedSnapshots snapshots, String region) {
        this.calls = calls;
        this.snapshots = snapshots;
        this.region = region;
    }

    @Override
    public List<FastRestore> fastRestores(SnapshotId snapshot) throws ProviderException {
        return snapshots.ask(snapshot, this::present);
    }

    private List<FastRestore> present(CloudSnapshot found) throws ProviderException {
        return calls.fastRestores(found.id()).stream()
                .filter(each -> !each.state().equals("disabled"))
                .map(each -> new FastRestore(each.zone(), state(each.state())))
                .sorted(Comparator.comparing(FastRestore::zone))
                .toList();
    }

    private static FastState state(String told) {
        return switch (told) {
            case "enabled" -> FastState.READY;
            case "disabling" -> FastState.ENDING;
            default -> FastState.PREPARING;
        };
    }

    @Override
    public List<FastRestore> setFastRestore(SnapshotId snapshot, List<String> zones, boolean on)
            throws ProviderException {
        checkZones(snapshot, zones);
        return snapshots.change(snapshot, found -> {
            if (on) {
                UploadedSnapshots.refuseUnreadable(snapshot, found);
                if (found.sizeBytes() > SIZE_BYTES_MAXIMUM) {
                    throw new ProviderException(new ProviderError.Conflict(
                            snapshot.toString(),
                            "it has %d bytes, fast restores are for up to %d"
                                    .formatted(found.sizeBytes(), SIZE_BYTES_MAXIMUM)));
                }
            }
            var present = present(found).stream()
                    .filter(each -> each.state() != FastState.ENDING)
                    .map(FastRestore::zone)
                    .toList();
            var changed =
                    zones.stream().filter(zone -> present.contains(zone) != on).toList();
            if (!changed.isEmpty()) {
                var refused = on
                        ? calls.enableFastRestores(found.id(), changed)
                        : calls.disableFastRestores(found.id(), changed);
                if (!refused.isEmpty()) {
                    throw new ProviderException(
                            new ProviderError.Conflict(snapshot.toString(), String.join("; ", refused)));
                }
            }
            return present(found);
        });
    }

    private void checkZones(SnapshotId snapshot, List<String> zones) throws ProviderException {
        if (zones.isEmpty() || zones.size() > ZONES_MAXIMUM) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "%d zones: name 1 to %d of region %s".formatted(zones.size(), ZONES_MAXIMUM, region)));
        }
        for (var zone : zones) {
            if (!ZONE_FORM.matcher(zone).matches() || !zone.startsWith(region)) {
                throw new ProviderException(new ProviderError.Conflict(
                        snapshot.toString(), "\"%s\" is no zone of its region, such as %sa".formatted(zone, region)));
            }
        }
    }

    @Override
    public String fastRestoreCost(int zones) {
        return String.format(
                Locale.ROOT,
                "billed by the hour and zone until it is ended, an hour at the least: about %.2f USD an hour for %d zones at"
                        + " the price of us-east-1 (0.75 USD, \"How AWS Pricing Works\", read 2026-11-27; other regions differ)",
                DOLLARS_AN_HOUR * zones,
                zones);
    }
}
