namespace Flotta.Yggdrasil.Credentials;

internal static class PemFile
{
    // Far above any chain, far below anything that hurts.
    private const long Largest = 1 << 20;

    public static string Read(string path, string what)
    {
        try
        {
            if (Directory.Exists(path))
                throw new CredentialException($"The {what} {path} is a folder, not a file.");
            if (new FileInfo(path).Length > Largest)
                throw new CredentialException($"The {what} {path} is larger than 1 MiB, so it is no PEM file.");
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CredentialException($"The {what} {path} does not exist.", exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new CredentialException($"The {what} {path} may not be read by this user.", exception);
        }
        catch (IOException exception)
        {
            throw new CredentialException($"The {what} {path} cannot be read: {exception.Message}", exception);
        }
    }
}
