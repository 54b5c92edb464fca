/** Domain values as the JSON documents of the API. */
@NullMarked
package io.tidemark.control.document;

import org.jspecify.annotations.NullMarked;
