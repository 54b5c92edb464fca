package io.tidemark.provider.lvm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;

/** What {@code lvs --reportformat json} says, see lvmreport(7). The only place that reads it. */
final class LvmReport {
    /** Asked for by name: what a new version adds does not come in by itself. */
    static final String FIELDS = "lv_name,lv_size,segtype,pool_lv,thin_id,chunk_size,data_percent,metadata_percent,"
            + "lv_active,lv_device_open,lv_tags,lv_attr,origin,origin_size,snap_percent,lv_snapshot_invalid";

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private LvmReport() {}

    /** @throws ProviderException Unexpected, with the text, for whatever is not such a report */
    static List<LogicalVolume> parse(String json) throws ProviderException {
        try {
            // Asked for the segments' type, LVM has a line a segment; names are unique in a group.
            var volumes = new LinkedHashMap<String, LogicalVolume>();
            for (var report : MAPPER.readTree(json).path("report")) {
                for (var line : report.path("lv")) {
                    var volume = volume(line);
                    volumes.putIfAbsent(volume.name(), volume);
                }
            }
            return List.copyOf(volumes.values());
        } catch (JsonProcessingException | IllegalArgumentException e) {
            var shown = json.length() > 500 ? json.substring(0, 500) + "..." : json;
            throw new ProviderException(new ProviderError.Unexpected("lvs", e.getMessage() + ": " + shown), e);
        }
    }

    private static LogicalVolume volume(JsonNode line) {
        var thinId = text(line, "thin_id");
        var tags = text(line, "lv_tags");
        var name = text(line, "lv_name");
        return new LogicalVolume(
                name.replaceAll("^\\[|]$", ""),
                Long.parseLong(text(line, "lv_size")),
                text(line, "segtype"),
                text(line, "pool_lv"),
                thinId.isEmpty() ? -1 : Integer.parseInt(thinId),
                Integer.parseInt(text(line, "chunk_size")),
                percent(text(line, "data_percent")),
                percent(text(line, "metadata_percent")),
                text(line, "lv_active").equals("active"),
                text(line, "lv_device_open").equals("open"),
                tags.isEmpty() ? List.of() : List.of(tags.split(",", -1)),
                name.startsWith("["),
                store(line));
    }

    /** lvs(8), "lv_attr": the first letter of a classic snapshot is s, or S while it is merged. Cached ones have origins too. */
    private static StoreUse store(JsonNode line) {
        if (!text(line, "lv_attr").toLowerCase(Locale.ROOT).startsWith("s")) {
            return StoreUse.NONE;
        }
        return new StoreUse(
                text(line, "origin"),
                Long.parseLong(text(line, "origin_size")),
                percent(text(line, "snap_percent")),
                text(line, "lv_snapshot_invalid").equals("snapshot invalid"));
    }

    private static double percent(String text) {
        return text.isEmpty() ? 0 : Double.parseDouble(text);
    }

    private static String text(JsonNode line, String field) {
        var value = line.get(field);
        if (value == null || !value.isTextual()) {
            throw new IllegalArgumentException("no field " + field);
        }
        return value.textValue();
    }
}
