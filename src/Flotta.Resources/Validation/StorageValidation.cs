using System.Globalization;

namespace Flotta.Resources.Validation;

internal static class StorageValidation
{
    private static readonly string[] Days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

    public static IEnumerable<string> Errors(StorageSettings? storage)
    {
        if (storage?.S3 is { CreateObc: true } s3 && !(string.IsNullOrEmpty(s3.SecretName) && string.IsNullOrEmpty(s3.ConfigMapName)))
        {
            yield return "spec.storage.s3.createOBC cannot be true together with spec.storage.s3.secretName or spec.storage.s3.configMapName;\n"
                + "either set createOBC=false or clear the other two";
        }

        var at = 0;
        foreach (var window in storage?.Schedule ?? [])
        {
            foreach (var error in Errors(window, string.Create(CultureInfo.InvariantCulture, $"spec.storage.schedule[{at}]")))
                yield return error;
            at++;
        }
    }

    private static IEnumerable<string> Errors(SyncWindow window, string where)
    {
        foreach (var day in (window.Days ?? []).Where(day => !Days.Contains(day, StringComparer.Ordinal)))
            yield return $"{where}.days: '{day}' is none of {string.Join(", ", Days)}";
        if (!IsTime(window.From))
            yield return $"{where}.from: '{window.From}' is no time of day like 22:00";
        if (!IsTime(window.To))
            yield return $"{where}.to: '{window.To}' is no time of day like 22:00";
        if (IsTime(window.From) && string.Equals(window.From, window.To, StringComparison.Ordinal))
            yield return $"{where} is never open: from and to are the same";
    }

    private static bool IsTime(string text) => TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
}
