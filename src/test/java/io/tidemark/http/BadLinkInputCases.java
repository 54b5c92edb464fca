package io.tidemark.http;

import static io.tidemark.http.BadInputCases.post;

import io.tidemark.http.BadInputCases.Case;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/** Bad input to what controls links. */
final class BadLinkInputCases {
    private static final String LINKS = "/v1/links";
    private static final String NONE = LINKS + "/ln-none";

    private BadLinkInputCases() {}

    private static String link(String more) {
        return "{'peer':'site-b','group':'orders','volume':'memory:orders','peerVolume':'memory:copy'," + more + "}";
    }

    static Stream<Case> cases() {
        return Stream.of(rates(), verbs()).flatMap(List::stream);
    }

    private static List<Case> rates() {
        String many = String.join(",", Collections.nCopies(17, "'08:00-18:00=10MiB/s'"));
        return List.of(
                post("a rate without a unit", LINKS, link("'rateLimit':'50'"), 400, "rateLimit", "MiB"),
                post("a rate in bits", LINKS, link("'rateLimit':'50Mbit/s'"), 400, "rateLimit", "MiB"),
                post("a rate as a number", LINKS, link("'rateLimit':50"), 400, "rateLimit", "string"),
                post("a rate too low", LINKS, link("'rateLimit':'1KiB/s'"), 400, "rateLimit", "65536"),
                post("a rate too high", LINKS, link("'rateLimit':'9999999GiB/s'"), 400, "rateLimit", "above"),
                post("a window of words", LINKS, link("'rateWindows':['at night']"), 400, "rateWindows[0]", "at night"),
                post(
                        "a window on no day",
                        LINKS,
                        link("'rateWindows':['xyz 08:00-18:00=1MiB/s']"),
                        400,
                        "rateWindows",
                        "none of mon"),
                post(
                        "a window of no time",
                        LINKS,
                        link("'rateWindows':['08:00-08:00=1MiB/s']"),
                        400,
                        "rateWindows",
                        "whole day"),
                post(
                        "a window past midnight's end",
                        LINKS,
                        link("'rateWindows':['08:00-24:30=1MiB/s']"),
                        400,
                        "rateWindows",
                        "outside a day"),
                post("17 windows", LINKS, link("'rateWindows':[" + many + "]"), 400, "rateWindows", "at most 16"),
                post("arrival as a text", LINKS, link("'onArrival':'yes'"), 400, "onArrival", "boolean"));
    }

    private static List<Case> verbs() {
        return List.of(
                post("a pause of nothing", NONE + "/pause", "", 404, "", "ln-none"),
                post("a resumption of nothing", NONE + "/resume", "", 404, "", "ln-none"),
                post("a resync unconfirmed", NONE + "/resyncs", "{}", 400, "overwriteTarget", "missing"),
                post(
                        "a resync denied",
                        NONE + "/resyncs",
                        "{'overwriteTarget':false}",
                        400,
                        "overwriteTarget",
                        "not confirmed"),
                post("a resync of nothing", NONE + "/resyncs", "{'overwriteTarget':true}", 404, "", "ln-none"),
                post("a reversal without a mode", NONE + "/reversals", "{}", 400, "mode", "missing"),
                post("a reversal of no kind", NONE + "/reversals", "{'mode':'NOW'}", 400, "mode", "UNPLANNED"),
                post("a reversal of nothing", NONE + "/reversals", "{'mode':'PLANNED'}", 404, "", "ln-none"),
                new Case(
                        "settings of nothing",
                        "PUT",
                        NONE + "/settings",
                        java.util.Optional.of("{}".getBytes(java.nio.charset.StandardCharsets.UTF_8)),
                        java.util.Map.of(),
                        404,
                        "",
                        "ln-none"));
    }
}
