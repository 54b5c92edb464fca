package io.tidemark.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.control.document.Json;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** A body's JSON, bounded before it is believed: depth, numbers, texts, doubled names, nothing after the end. */
final class RequestBody {
    /** The deepest document of the API has 5 levels. */
    static final int DEPTH_MAXIMUM = 16;
    /** The longest text of the API is an invitation's token of 2 KiB. */
    private static final int TEXT_CHARACTERS_MAXIMUM = 65_536;
    /** A signed 64-bit number has 20 characters; more can only be wrong. */
    private static final int NUMBER_CHARACTERS_MAXIMUM = 40;

    private static final String ALLOWED =
            "one JSON object in UTF-8, at most %d levels deep, each name once".formatted(DEPTH_MAXIMUM);

    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(DEPTH_MAXIMUM)
                            .maxStringLength(TEXT_CHARACTERS_MAXIMUM)
                            .maxNumberLength(NUMBER_CHARACTERS_MAXIMUM)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private RequestBody() {}

    /** An empty object for no bytes. */
    static ObjectNode parse(byte[] bytes) throws ProblemException {
        if (bytes.length == 0) {
            return Json.object();
        }
        String text = decoded(bytes);
        JsonNode node;
        try {
            node = MAPPER.readTree(text);
        } catch (JsonProcessingException malformed) {
            throw invalid(text, "is not the JSON it should be: " + firstLine(malformed.getOriginalMessage()));
        }
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw invalid(text, "is no JSON object");
    }

    private static String decoded(byte[] bytes) throws ProblemException {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException notUtf8) {
            throw invalid("", "is not UTF-8");
        }
    }

    private static String firstLine(String message) {
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }

    private static ProblemException invalid(String text, String reason) {
        return new ProblemException(Problems.invalid("body", text, reason, ALLOWED));
    }
}
