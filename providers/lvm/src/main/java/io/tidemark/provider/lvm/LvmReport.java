package io.tidemark.provider.lvm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.ArrayList;
import java.util.List;

/** What {@code lvs --reportformat json} says, see lvmreport(7). The only place that reads it. */
final class LvmReport {
    /** Asked for by name: what a new version adds does not come in by itself. */
    static final String FIELDS = "lv_name,lv_size,segtype,pool_lv,thin_id,chunk_size,data_percent,metadata_percent,"
            + "lv_active,lv_device_open,lv_tags";

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private LvmReport() {}

    /** @throws ProviderException Unexpected, with the text, for whatever is not such a report */
    static List<LogicalVolume> parse(String json) throws ProviderException {
        try {
            var volumes = new ArrayList<LogicalVolume>();
            for (var report : MAPPER.readTree(json).path("report")) {
                for (var line : report.path("lv")) {
                    volumes.add(volume(line));
                }
            }
            return volumes;
        } catch (JsonProcessingException | IllegalArgumentException e) {
            var shown = json.length() > 500 ? json.substring(0, 500) + "..." : json;
            throw new ProviderException(new ProviderError.Unexpected("lvs", e.getMessage() + ": " + shown), e);
        }
    }

    private static LogicalVolume volume(JsonNode line) {
        var thinId = text(line, "thin_id");
        var tags = text(line, "lv_tags");
        return new LogicalVolume(
                // Brackets: a part of another one, such as a pool's metadata.
                text(line, "lv_name").replaceAll("^\\[|]$", ""),
                Long.parseLong(text(line, "lv_size")),
                text(line, "segtype"),
                text(line, "pool_lv"),
                thinId.isEmpty() ? -1 : Integer.parseInt(thinId),
                Integer.parseInt(text(line, "chunk_size")),
                percent(text(line, "data_percent")),
                percent(text(line, "metadata_percent")),
                text(line, "lv_active").equals("active"),
                text(line, "lv_device_open").equals("open"),
                tags.isEmpty() ? List.of() : List.of(tags.split(",", -1)));
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
