using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Flotta.ApiServer.Definitions;

/// <summary>The string formats that are checked; unknown ones are not.</summary>
internal static partial class Formats
{
    public static bool IsKnown(string format) => Checks.ContainsKey(format);

    public static bool Accepts(string format, string text) => !Checks.TryGetValue(format, out var check) || check(text);

    private static readonly Dictionary<string, Func<string, bool>> Checks = new(StringComparer.Ordinal)
    {
        ["date-time"] = IsDateTime,
        ["datetime"] = IsDateTime,
        ["date"] = text => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        ["byte"] = IsBase64,
        ["email"] = text => Email().IsMatch(text),
        ["hostname"] = text => text.Length <= 255 && Hostname().IsMatch(text),
        ["ipv4"] = text => IsAddress(text, AddressFamily.InterNetwork) && text.Count('.') == 3,
        ["ipv6"] = text => IsAddress(text, AddressFamily.InterNetworkV6),
        ["cidr"] = text => text.Contains('/', StringComparison.Ordinal) && IPNetwork.TryParse(text, out _),
        ["mac"] = text => Mac().IsMatch(text),
        ["uri"] = IsUri,
        ["uuid"] = text => AnyUuid().IsMatch(text),
        ["uuid3"] = text => AnyUuid().IsMatch(text) && text.Replace("-", "", StringComparison.Ordinal)[12] == '3',
        ["uuid4"] = text => AnyUuid().IsMatch(text) && text.Replace("-", "", StringComparison.Ordinal)[12] == '4',
        ["uuid5"] = text => AnyUuid().IsMatch(text) && text.Replace("-", "", StringComparison.Ordinal)[12] == '5',
        ["duration"] = text => GoDuration().IsMatch(text) || WordyDuration().IsMatch(text),
        ["hexcolor"] = text => HexColor().IsMatch(text),
        ["bsonobjectid"] = text => BsonId().IsMatch(text),
        ["isbn"] = text => IsIsbn10(text) || IsIsbn13(text),
        ["isbn10"] = IsIsbn10,
        ["isbn13"] = IsIsbn13,
        ["ssn"] = text => Ssn().IsMatch(text),
        ["creditcard"] = IsCardNumber,
        ["rgbcolor"] = text => Rgb().IsMatch(text),
    };

    /// <summary>RFC 3339; a missing offset is let through as the real server's parser does.</summary>
    public static bool IsDateTime(string text)
    {
        var match = Rfc3339().Match(text);
        return match.Success && DateTime.TryParseExact(
            match.Groups["date"].Value + "T" + match.Groups["time"].Value, "yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
    }

    public static bool IsBase64(string text)
    {
        if (text.Length == 0) return true;
        if (text.AsSpan().ContainsAny(' ', '\t')) return false;
        return System.Buffers.Text.Base64.IsValid(text);
    }

    private static bool IsAddress(string text, AddressFamily family) => IPAddress.TryParse(text, out var address) && address.AddressFamily == family;

    // What url.ParseRequestURI takes: an absolute URI, or an absolute path.
    private static bool IsUri(string text) =>
        text.Length > 0 && !text.AsSpan().ContainsAny(' ', '\t', '\n') &&
        (text[0] == '/' || (Scheme().IsMatch(text) && Uri.TryCreate(text, UriKind.Absolute, out _)));

    private static bool IsIsbn10(string text)
    {
        var digits = text.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        if (!Isbn10Digits().IsMatch(digits)) return false;
        var sum = 0;
        for (var i = 0; i < 10; i++) sum += (10 - i) * (digits[i] is 'X' or 'x' ? 10 : digits[i] - '0');
        return sum % 11 == 0;
    }

    private static bool IsIsbn13(string text)
    {
        var digits = text.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        return digits.Length == 13 && digits.All(char.IsAsciiDigit) && digits.Select((digit, i) => (digit - '0') * (i % 2 == 0 ? 1 : 3)).Sum() % 10 == 0;
    }

    private static bool IsCardNumber(string text)
    {
        var digits = new string([.. text.Where(char.IsAsciiDigit)]);
        if (digits.Length is < 13 or > 19) return false;
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = digits[digits.Length - 1 - i] - '0';
            if (i % 2 == 1) digit = digit * 2 > 9 ? (digit * 2) - 9 : digit * 2;
            sum += digit;
        }

        return sum % 10 == 0;
    }

    [GeneratedRegex(@"^(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt](?<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Rfc3339();

    [GeneratedRegex(@"^[^@\s<>]+@[^@\s<>]+\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Email();

    // One label, or several before a top-level domain of letters.
    [GeneratedRegex(@"^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?|([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]{2,63})\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Hostname();

    [GeneratedRegex(@"^([0-9A-Fa-f]{2}[:-]){5}([0-9A-Fa-f]{2}[:-]){0,2}[0-9A-Fa-f]{2}\z|^([0-9A-Fa-f]{4}\.){2,3}[0-9A-Fa-f]{4}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Mac();

    [GeneratedRegex(@"^[a-zA-Z][a-zA-Z0-9+.-]*:", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Scheme();

    [GeneratedRegex(@"^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex AnyUuid();

    [GeneratedRegex(@"^[-+]?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex GoDuration();

    [GeneratedRegex(@"^([0-9]+ *(nanoseconds?|nanos?|ns|microseconds?|micros?|us|µs|milliseconds?|millis?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|wks?|w) *)+\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex WordyDuration();

    [GeneratedRegex(@"^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex HexColor();

    [GeneratedRegex(@"^[0-9a-fA-F]{24}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex BsonId();

    [GeneratedRegex(@"^[0-9]{9}[0-9Xx]\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Isbn10Digits();

    [GeneratedRegex(@"^[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Ssn();

    [GeneratedRegex(@"^rgb\( *[0-9]{1,3} *, *[0-9]{1,3} *, *[0-9]{1,3} *\)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Rgb();
}
