namespace Flotta.Yggdrasil.Transport;

public enum Channel
{
    Control,
    Data,
}
